"""Bytes land whole, under the name of what they contain, or not at all."""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraiser_store import Landing, LandingError
from appraiser_store.landing import STALE_SECONDS

DIES_IN_BETWEEN = """
import os, sys
from pathlib import Path
from appraiser_store import Landing

def chunks():
    yield b"one"
    os._exit(9)

Landing(Path(sys.argv[1])).land(chunks())
"""


def broken_off() -> Iterator[bytes]:
    """Chunks of a connection that breaks."""
    yield b"one"
    raise ConnectionError("gone")


class TestLand:
    """What lies in the landing area after a landing."""

    @given(chunks=st.lists(st.binary(max_size=50), max_size=5))
    def test_bytes_stay_as_they_came(self, chunks: list[bytes]) -> None:
        """The file holds the bytes, and digest and size are theirs, however they were cut into chunks."""
        body = b"".join(chunks)
        with tempfile.TemporaryDirectory() as folder:
            landing = Landing(Path(folder) / "landing")
            landed = landing.land(chunks)
            assert landing.path(landed.path).read_bytes() == body
        assert landed.digest == hashlib.sha256(body).hexdigest()
        assert (landed.path, landed.size_bytes) == (f"{landed.digest}.json", len(body))

    def test_same_bytes_same_file(self, tmp_path: Path) -> None:
        """The same bytes twice are one file."""
        landing = Landing(tmp_path)
        assert landing.land([b"ab"]) == landing.land([b"a", b"b"])
        assert len(list(tmp_path.iterdir())) == 1

    def test_error_leaves_nothing(self, tmp_path: Path) -> None:
        """A connection that breaks leaves no file behind, and its error is passed on."""
        with pytest.raises(ConnectionError, match="gone"):
            Landing(tmp_path).land(broken_off())
        assert list(tmp_path.iterdir()) == []

    def test_killed_in_between(self, tmp_path: Path) -> None:
        """A process that dies while bytes arrive leaves no file under a final name, and the next landing is whole."""
        process = subprocess.run([sys.executable, "-c", DIES_IN_BETWEEN, tmp_path], check=False)
        assert process.returncode == 9
        assert list(tmp_path.glob("*.json")) == []
        assert Landing(tmp_path).land([b"one", b"two"]).size_bytes == 6

    def test_swept(self, tmp_path: Path) -> None:
        """What a dead process left is removed a day later, what a living one writes is not."""
        old, young = tmp_path / ".unfinished-old", tmp_path / ".unfinished-young"
        for file in (old, young):
            file.write_bytes(b"one")
        long_ago = time.time() - STALE_SECONDS - 60
        os.utime(old, (long_ago, long_ago))
        Landing(tmp_path).land([b"two"])
        assert (old.exists(), young.exists()) == (False, True)


class TestPath:
    """Where landed bytes are looked for."""

    @pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "", "..", "a/b.json"])
    def test_stays_inside(self, tmp_path: Path, path: str) -> None:
        """A path that leads elsewhere is refused."""
        with pytest.raises(LandingError, match="no path in the landing area"):
            Landing(tmp_path / "landing").path(path)
