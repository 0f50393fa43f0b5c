"""Where responses lie byte for byte as they were received, named by what they contain."""

import hashlib
import os
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appraiser_store.errors import LandingError

STALE_SECONDS: Final = 24 * 60 * 60
"""Age at which an unfinished file was left by a process that died; no response takes a day to arrive."""

_UNFINISHED: Final = ".unfinished-"


@dataclass(frozen=True, slots=True)
class Landed:
    """Bytes that have landed.

    Attributes:
        path: Where they lie, relative to the landing area.
        digest: SHA-256 of the bytes, hexadecimal.
        size_bytes: How many they are. [bytes]
    """

    path: str
    digest: str
    size_bytes: int


class Landing:
    """The landing area: a folder of files that are complete, never change, and are named by their digest.

    Args:
        root: The folder; made at the first landing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def land(self, chunks: Iterable[bytes]) -> Landed:
        """Write bytes as they arrive; the file appears under its name when all of it is on disk, or not at all.

        Args:
            chunks: The bytes in any portions; never held in memory together. An error in between is passed on and
                leaves nothing behind. The same bytes land on the same file.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self._sweep()
        unfinished = self.root / f"{_UNFINISHED}{uuid.uuid4().hex}"
        try:
            digest, size = _write(unfinished, chunks)
            landed = Landed(f"{digest}.json", digest, size)
            unfinished.replace(self.root / landed.path)
        finally:
            unfinished.unlink(missing_ok=True)
        _sync_folder(self.root)
        return landed

    def path(self, landed_path: str) -> Path:
        """Find landed bytes.

        Args:
            landed_path: As in `Landed.path` or `Batch.landing_path`.

        Raises:
            LandingError: The path leads out of the landing area.
        """
        if Path(landed_path).name != landed_path or landed_path in {"", ".."}:
            raise LandingError(landed_path)
        return self.root / landed_path

    def _sweep(self) -> None:
        for file in self.root.glob(f"{_UNFINISHED}*"):
            if time.time() - file.stat().st_mtime > STALE_SECONDS:
                file.unlink(missing_ok=True)


def _write(path: Path, chunks: Iterable[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for chunk in chunks:
            digest.update(chunk)
            size += file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _sync_folder(folder: Path) -> None:
    # The rename itself must survive a power cut, too: the ledger is about to name the file.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
