"""A stream: segments in a folder of its own, which one process appends to and holds locked as long as it lives."""

import contextlib
import errno
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
_NO_SYNC: Final = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EINVAL)


@contextlib.contextmanager
def changing(root: Path) -> Iterator[None]:
    """Keep other processes from making or adopting a stream meanwhile: a new folder is not yet locked by its owner."""
    root.mkdir(parents=True, exist_ok=True)
    with exclusive(root / _FOLDER_LOCK):
        yield


def own(folder: Path) -> int | None:
    """Lock a stream without waiting.

    Returns:
        The descriptor that holds the lock until it is closed, however the process ends; None where a process has it,
        or has deleted the folder.
    """
    try:
        descriptor = os.open(folder / OWNER_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return None
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
    """Appends records; threads share it. Nothing is on the disk before `open` or the first record.

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
        self._left: list[int] = []
        self._entered = False
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

    def open(self) -> None:
        """Make the folder and lock it, so that no record waits for that.

        Raises:
            OSError: It cannot be made; the next record tries it again.
        """
        with self._lock:
            self._enter()

    def append(self, *payloads: bytes) -> None:
        """Write records by one call of the system: all of them whole, or none at all.

        Raises:
            OSError: They cannot be written; nothing of them stays.
        """
        framed = b"".join(map(frame, payloads))
        with self._lock:
            if self._descriptor is None or self._size >= self._segment_bytes:
                self._next_segment()
            if self._begun and self._always_sync:
                _sync_folder(self.folder)
                self._begun = False
            self._write(framed)
            self._size += len(framed)
            self._records += len(payloads)

    def sync(self) -> None:
        """Bring to the disk what the system has.

        Raises:
            OSError: Something may never reach it. What had not been tried is tried the next time; after a failed sync
                of a segment the next record begins a new one, for the system forgets what it could not write, and
                another sync of the same file would prove nothing (fsync(2), PostgreSQL's "fsyncgate" of 2018).
        """
        self._sync_entry()
        while (left := self._next_left()) is not None:
            try:
                os.fdatasync(left)
            finally:
                os.close(left)
        with self._lock:
            descriptor, size = self._descriptor, self._size
        if descriptor is None or size == self._synced:
            return
        try:
            os.fdatasync(descriptor)
        except OSError:
            with self._lock:
                self._leave(descriptor)
            raise
        with self._lock:
            if self._descriptor == descriptor:
                self._synced = size

    def close(self) -> None:
        """Bring everything to the disk and give the stream up: another process may adopt what was not shipped."""
        with contextlib.suppress(OSError):
            self.sync()
        with self._lock:
            for descriptor in (self._descriptor, self._owner, *self._left):
                if descriptor is not None:
                    os.close(descriptor)
            self._descriptor = self._owner = None
            self._left = []

    def _enter(self) -> None:
        """Make the folder, lock it, and bring its entry, and those of the folders above it, to the disk."""
        root = self.folder.parent
        if self._owner is None:
            with changing(root):
                self.folder.mkdir(exist_ok=True)
                self._owner = own(self.folder)
        if not self._entered:
            _sync_folder(root)
            for above in root.parents:
                _sync_above(above)
            self._entered = True

    def _next_segment(self) -> None:
        self._enter()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        descriptor = os.open(segment_file(self.folder, self._number + 1), flags, 0o600)
        if self._descriptor is not None:
            self._left.append(self._descriptor)
        self._descriptor, self._number, self._size, self._synced = descriptor, self._number + 1, 0, 0
        self._begun = True

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
        except OSError:
            self._undo(descriptor)
            raise
        if self._always_sync:
            self._sync_record(descriptor, written)

    def _sync_record(self, descriptor: int, written: int) -> None:
        try:
            os.fdatasync(descriptor)
        except OSError:
            self._undo(descriptor)
            # An empty segment has nothing that could be lost; a disk that fails for long does not fill up with them.
            if self._size:
                self._leave(descriptor)
            raise
        self._synced = self._size + written

    def _undo(self, descriptor: int) -> None:
        try:
            os.ftruncate(descriptor, self._size)
        except OSError:
            # The half record stays and is recognised; what comes next begins a segment of its own.
            self._put_aside()

    def _put_aside(self) -> None:
        """Write no more to the segment; `sync` closes it."""
        if self._descriptor is not None:
            self._left.append(self._descriptor)
            self._descriptor = None

    def _sync_entry(self) -> None:
        if self._always_sync:
            # The record that began the segment has done it, or the next one does.
            return
        with self._lock:
            begun, self._begun = self._begun, False
        if begun:
            try:
                _sync_folder(self.folder)
            except OSError:
                with self._lock:
                    self._begun = True
                raise

    def _next_left(self) -> int | None:
        with self._lock:
            return self._left.pop(0) if self._left else None

    def _leave(self, descriptor: int) -> None:
        """Write no more to a segment whose sync failed, and sync it no more."""
        if self._descriptor == descriptor:
            self._descriptor = None
            os.close(descriptor)


def _sync_above(folder: Path) -> None:
    """Sync a folder that may not be ours, and of a kind that knows no sync: then none was made in it for the log."""
    try:
        _sync_folder(folder)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
