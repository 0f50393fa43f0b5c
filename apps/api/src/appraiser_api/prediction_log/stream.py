"""A stream: segments in a folder of its own, which one process appends to and holds locked as long as it lives."""

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from appraiser_api.prediction_log.frames import frame
from appraiser_store.lock import exclusive

SEGMENT_BYTES: Final = 64 * 1024 * 1024
"""A segment is deleted when all of it was shipped; this bounds what a crash without a position ships again."""

OWNER_LOCK: Final = "lock"
SEGMENTS: Final = "*.log"
_FOLDER_LOCK: Final = "folders.lock"


@contextlib.contextmanager
def changing(root: Path) -> Iterator[None]:
    """Keep other processes from making or adopting a stream meanwhile: a new folder is not yet locked by its owner."""
    root.mkdir(parents=True, exist_ok=True)
    with exclusive(root / _FOLDER_LOCK):
        yield


def own(folder: Path) -> int | None:
    """Lock a stream without waiting.

    Returns:
        The descriptor that holds the lock until it is closed, however the process ends; None where a process has it.
    """
    descriptor = os.open(folder / OWNER_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def segment_file(folder: Path, number: int) -> Path:
    """Where a segment lies."""
    return folder / f"{number:08d}.log"


class Stream:
    """Appends records; threads share it. Nothing is on the disk before the first record.

    Args:
        root: Folder of the streams of all processes.
        name: Name of this one's folder.
        always_sync: Whether a record is on the disk itself, not only with the system, when `append` returns.
        segment_bytes: When the next segment is begun.
    """

    def __init__(self, root: Path, name: str, *, always_sync: bool, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = root / name
        self._always_sync = always_sync
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._descriptor: int | None = None
        self._number = 0
        self._size = 0
        self._synced = 0
        self._full: list[int] = []
        self._begun = False
        self._records = 0

    @property
    def end(self) -> tuple[int, int]:
        """Number of the last segment, and how many bytes of it are whole records."""
        with self._lock:
            return self._number, self._size

    @property
    def records(self) -> int:
        """How many records were ever appended."""
        return self._records

    def append(self, payload: bytes) -> None:
        """Write one record by one call of the system: whole, or not at all.

        Raises:
            OSError: It cannot be written; nothing of it stays.
        """
        framed = frame(payload)
        with self._lock:
            if self._descriptor is None or self._size >= self._segment_bytes:
                self._next_segment()
            self._write(framed)
            self._size += len(framed)
            self._records += 1

    def sync(self) -> None:
        """Bring to the disk what the system has."""
        with self._lock:
            full, self._full = self._full, []
            descriptor, size = self._descriptor, self._size
            pending = descriptor is not None and size != self._synced
            begun, self._begun = self._begun, False
        try:
            if begun:
                _sync_folder(self.folder)
            for number in full:
                os.fdatasync(number)
            if pending and descriptor is not None:
                os.fdatasync(descriptor)
        finally:
            for number in full:
                os.close(number)
        with self._lock:
            if pending and self._descriptor == descriptor:
                self._synced = size

    def close(self) -> None:
        """Bring everything to the disk and give the stream up: another process may adopt what was not shipped."""
        with contextlib.suppress(OSError):
            self.sync()
        with self._lock:
            for descriptor in (self._descriptor, self._owner):
                if descriptor is not None:
                    os.close(descriptor)
            self._descriptor = self._owner = None

    def _next_segment(self) -> None:
        if self._owner is None:
            with changing(self.folder.parent):
                self.folder.mkdir(exist_ok=True)
                self._owner = own(self.folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        descriptor = os.open(segment_file(self.folder, self._number + 1), flags, 0o600)
        if self._descriptor is not None:
            self._full.append(self._descriptor)
        self._descriptor, self._number, self._size, self._synced = descriptor, self._number + 1, 0, 0
        self._begun = not self._always_sync
        if self._always_sync:
            _sync_folder(self.folder)

    def _write(self, framed: bytes) -> None:
        descriptor = self._descriptor
        assert descriptor is not None  # noqa: S101 - append has opened it
        try:
            written = os.write(descriptor, framed)
            if written != len(framed):
                # What is left would not fit either; the second call says why.
                written += os.write(descriptor, framed[written:])
            if written != len(framed):
                raise OSError(f"only {written} of {len(framed)} bytes were taken")  # noqa: TRY301 - one way to undo
            if self._always_sync:
                os.fdatasync(descriptor)
                self._synced = self._size + written
        except OSError:
            self._undo(descriptor)
            raise

    def _undo(self, descriptor: int) -> None:
        try:
            os.ftruncate(descriptor, self._size)
        except OSError:
            # The half record stays and is recognised; what comes next begins a segment of its own.
            self._full.append(descriptor)
            self._descriptor = None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
