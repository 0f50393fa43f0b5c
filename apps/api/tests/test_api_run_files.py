"""Files that the workers of one server share: what is told, whose folder it is, what is deleted of the models."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running_api import wait_for

from appraiser_api import run_folder
from appraiser_api.cache import ModelCache, Pointer
from appraiser_api.workers import Workers
from appraiser_schema import ModelVersion, utc_now


class TestState:
    """What a worker tells of itself."""

    def test_full_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What could not be written is written the next time, and no draft is left behind."""
        workers = Workers(tmp_path)
        workers.publish(None, "before", 1, {})

        def fail(*_: object) -> None:
            raise OSError(errno.ENOSPC, "no space")

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", fail)
            with pytest.raises(OSError, match="no space"):
                workers.publish(None, "after", 2, {})
        assert not list(tmp_path.glob(".*"))
        workers.publish(None, "after", 2, {})
        (state,) = workers.states()
        assert (state.detail, state.generation) == ("after", 2)


HOLD = """
import sys, time
from pathlib import Path
from appraiser_api import run_folder
with run_folder.held(Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    time.sleep(60)
"""


class TestFolder:
    """Where the workers of one server meet."""

    def test_of_another(self, tmp_path: Path) -> None:
        """The folder of a server that runs is left alone, whatever its process id says here; once it is gone, not."""
        command = [sys.executable, "-c", HOLD, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            theirs = Path(other.stdout.readline().strip())
            # In a container of its own, it has an id that no process here has.
            renamed = theirs.rename(theirs.with_name("999999999-x"))
            with run_folder.held(tmp_path) as mine:
                assert (mine / "metrics").is_dir()
                assert (renamed / "metrics").is_dir()
            assert not mine.exists()
            other.kill()
        with run_folder.held(tmp_path):
            assert not renamed.exists()

    def test_own_id(self, tmp_path: Path) -> None:
        """Two servers of the same process id, each in a container of its own, have a folder each."""
        with run_folder.held(tmp_path) as first, run_folder.held(tmp_path) as second:
            assert first != second
            assert (first / "metrics").is_dir()

    def test_others_things(self, tmp_path: Path) -> None:
        """What is no folder of a server is not touched."""
        (tmp_path / "models").mkdir()
        (tmp_path / "7").touch()
        with run_folder.held(tmp_path):
            pass
        assert (tmp_path / "models").exists()
        assert (tmp_path / "7").exists()


SUPERVISE = """
import socket, sys
from pathlib import Path
from appraiser_api import supervisor
from appraiser_api.settings import Settings
sys.executable = "/bin/false"
listener = socket.create_server(("127.0.0.1", 0))
sys.exit(supervisor.Supervisor(Settings(api_workers=8), listener, Path(sys.argv[1])).run())
"""


class TestSupervisor:
    """The process that starts workers."""

    def test_told_to_stop(self, tmp_path: Path) -> None:
        """It ends at once where all of its workers die young, and the pause of one delays no other."""
        (tmp_path / "metrics").mkdir()
        log = tmp_path / "log"
        with log.open("w") as out:
            process = subprocess.Popen([sys.executable, "-c", SUPERVISE, str(tmp_path)], stdout=out, stderr=out)
        try:
            wait_for(lambda: log.read_text().count("worker_died") >= 8, seconds=10)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(10)
            assert time.monotonic() - began < 2
        finally:
            process.kill()
            process.wait()


class TestCache:
    """The last good models on disk, while another worker deletes the oldest likewise."""

    def test_gone_meanwhile(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A folder that is gone when it is looked at does not fail the load."""
        kept, gone = "a" * 64, "b" * 64
        for digest in (kept, gone):
            (tmp_path / digest).mkdir()
        is_dir = Path.is_dir

        def look(path: Path) -> bool:
            found = is_dir(path)
            if path.name == gone and found:
                path.rmdir()
            return found

        monkeypatch.setattr(Path, "is_dir", look)
        cache = ModelCache(tmp_path)
        cache.point_to(_pointer(kept))
        assert not (tmp_path / gone).exists()
        os.rmdir(tmp_path / kept)  # noqa: PTH106 - Path.rmdir looks as well
        cache.point_to(_pointer(kept))
        found = cache.last_good()
        assert found is not None
        assert found.digest == kept


def _pointer(digest: str) -> Pointer:
    facts = ModelVersion(
        version=1,
        aliases=(),
        created_at=utc_now(),
        run_id="x",
        batches=(0,),
        rows_train=1,
        simulated_data=True,
        snapshot_id=1,
        code_version="x",
        features_fingerprint="x",
        metrics={},
    )
    return Pointer(digest=digest, facts=facts)
