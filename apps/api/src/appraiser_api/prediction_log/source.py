"""One stream as the shipper sees it: the process's own, or one that a dead process left behind."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from appraiser_api.prediction_log.entries import time_of
from appraiser_api.prediction_log.position import (
    Position,
    read_position,
    remove_position,
    write_position,
)
from appraiser_api.prediction_log.reading import Found, backlog_bytes, count_records, read_after, segments
from appraiser_api.prediction_log.stream import OWNER_LOCK, Stream, changing, own, segment_file

CHUNK_BYTES: Final = 256 * 1024
"""About 500 single houses: what is shipped in one transaction."""

STREAMS: Final = "*-*"
DAMAGED: Final = "damaged"


class Source:
    """A stream that is shipped by this process alone, because this process holds its lock.

    Args:
        folder: Of the stream.
        stream: The process's own; None where its writer is dead.
        owner: Descriptor of the lock of a stream without a writer.
    """

    def __init__(self, folder: Path, stream: Stream | None, owner: int | None = None) -> None:
        self.folder = folder
        self.records = 0
        self.oldest: float | None = None
        self._stream = stream
        self._owner = owner
        self._position = read_position(folder)

    @classmethod
    def adopt(cls, folder: Path) -> Self | None:
        """Take a stream over; None where its writer lives, or nothing of it is left."""
        owner = own(folder)
        return None if owner is None else cls(folder, None, owner)

    @property
    def backlog_records(self) -> int:
        """Records that are not yet in the ledger; damage that is found on the way may make it fewer."""
        return max(0, self.records if self._stream is None else self._stream.records + self.records)

    @property
    def backlog_bytes(self) -> int:
        """The same in bytes."""
        return backlog_bytes(self.folder, self._position, self._end()) if self.folder.is_dir() else 0

    def count(self) -> None:
        """Count what a dead process left, some 300,000 records a second; the writer of a stream counts by itself."""
        self.records = count_records(self.folder, self._position)

    def read(self) -> list[Found]:
        """What is to be shipped next, in order; nothing where all was shipped."""
        found = read_after(self.folder, self._position, self._end(), CHUNK_BYTES)
        self.oldest = next((time_of(one.content) for one in found if one.whole), None)
        return found

    def shipped(self, found: list[Found]) -> None:
        """Remember that these are in the ledger, and delete the segments of which nothing is left to ship."""
        self._position = found[-1].after
        self.records -= sum(one.whole for one in found)
        write_position(self.folder, self._position)
        for number in segments(self.folder):
            if number < self._position.segment:
                segment_file(self.folder, number).unlink(missing_ok=True)

    def set_aside(self, found: Found) -> Path:
        """Keep the bytes of what cannot be shipped, for people; the same bytes twice are one file."""
        folder = self.folder.parent / DAMAGED
        folder.mkdir(exist_ok=True)
        file = folder / f"{self.folder.name}-{found.start.segment:08d}-{found.start.offset}.bin"
        aside = file.with_suffix(".new")
        aside.write_bytes(found.content)
        aside.rename(file)
        return file

    def release(self) -> None:
        """Give the stream up: one of which everything was shipped is deleted, another is left to be adopted."""
        with contextlib.suppress(OSError):
            if not self.backlog_bytes:
                with changing(self.folder.parent):
                    self._delete()
        if self._owner is not None:
            os.close(self._owner)
            self._owner = None

    def _delete(self) -> None:
        for number in segments(self.folder):
            segment_file(self.folder, number).unlink()
        remove_position(self.folder)
        (self.folder / OWNER_LOCK).unlink(missing_ok=True)
        self.folder.rmdir()

    def _end(self) -> Position | None:
        return None if self._stream is None else Position(*self._stream.end)


def adoptable(root: Path, known: set[Path]) -> Iterator[Source]:
    """Take over the streams of processes that are dead. Read nothing of them meanwhile: others are kept waiting."""
    if not root.is_dir():
        return
    with changing(root):
        for folder in sorted(root.glob(STREAMS)):
            if folder not in known and folder.is_dir():
                source = Source.adopt(folder)
                if source is not None:
                    yield source
