"""Reading streams: what comes after a position, how much that is, and whether an appraisal is among it."""

import contextlib
import mmap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appraiser_api.prediction_log.entries import LEAD_BYTES, SINGLE, unpack
from appraiser_api.prediction_log.frames import HEADER_BYTES, Piece, frame_end, payload_of, pieces
from appraiser_api.prediction_log.position import Position, read_position
from appraiser_api.prediction_log.stream import SEGMENTS, segment_file

_BREATH: Final = 5_000
"""Frames that are counted before other threads get their turn."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record or, where `whole` is false, bytes that are none, and the position after it."""

    content: bytes
    whole: bool
    start: Position
    after: Position


def segments(folder: Path) -> list[int]:
    """Numbers of the segments of a stream, in order."""
    return sorted(int(file.stem) for file in folder.glob(SEGMENTS))


def read_after(folder: Path, position: Position, end: Position | None, limit_bytes: int) -> list[Found]:
    """Read on from a position, within one segment.

    Args:
        folder: Of the stream.
        position: How far it was read.
        end: Where its last whole record ends, as its writer knows; None where nobody writes to it any more.
        limit_bytes: About how much is read; a record is read whole.
    """
    for number in segments(folder):
        if number < position.segment or (end is not None and number > end.segment):
            continue
        start = position.offset if number == position.segment else 0
        with _opened(segment_file(folder, number), end.offset if end and number == end.segment else None) as buffer:
            found = list(_read(buffer, number, start, limit_bytes))
        if found:
            return found
    return []


def backlog_bytes(folder: Path, position: Position, end: Position | None) -> int:
    """How many bytes of a stream come after a position."""
    total = 0
    for number in segments(folder):
        with contextlib.suppress(FileNotFoundError):
            size = end.offset if end and number == end.segment else segment_file(folder, number).stat().st_size
            if number == position.segment:
                size -= position.offset
            if number >= position.segment:
                total += max(0, size)
    return total


def count_records(folder: Path, position: Position) -> int:
    """How many records of a stream come after a position, where nobody writes to it any more."""
    total = 0
    for number in segments(folder):
        if number >= position.segment:
            start = position.offset if number == position.segment else 0
            with _opened(segment_file(folder, number)) as buffer:
                for piece in pieces(buffer, start, len(buffer)):
                    total += piece.whole
                    if total % _BREATH == 0:
                        time.sleep(0)
    return total


def holds(root: Path, request_id: str, row: int) -> bool:
    """Whether an appraisal is on record in a stream, and not yet known to be in the ledger; reads the whole backlog."""
    for folder in root.glob("*-*"):
        position = read_position(folder)
        for number in segments(folder):
            start = position.offset if number == position.segment else 0
            if number >= position.segment:
                # Not mapped: its writer may take a half record back, and who touches a page that is gone dies.
                with contextlib.suppress(FileNotFoundError):
                    if _holds(segment_file(folder, number).read_bytes(), start, request_id, row):
                        return True
    return False


def _holds(buffer: bytes, start: int, request_id: str, row: int) -> bool:
    key = request_id.encode()
    found = buffer.find(key, start)
    while found >= 0:
        begin = found - LEAD_BYTES - HEADER_BYTES
        stop = frame_end(buffer, begin, len(buffer))
        if stop is not None and _is(payload_of(buffer, Piece(begin, stop, whole=True)), request_id, row):
            return True
        found = buffer.find(key, found + 1)
    return False


def _is(payload: bytes, request_id: str, row: int) -> bool:
    head, body = unpack(payload)
    if head.request_id != request_id:
        return False
    if head.kind == SINGLE:
        return row == 0
    from appraiser_api.prediction_log.tables import has_row  # noqa: PLC0415 - polars is no part of the start

    return has_row(body, row)


def _read(buffer: mmap.mmap | bytes, number: int, start: int, limit_bytes: int) -> Iterator[Found]:
    for piece in pieces(buffer, start, len(buffer)):
        content = payload_of(buffer, piece) if piece.whole else bytes(buffer[piece.start : piece.stop])
        yield Found(content, piece.whole, Position(number, piece.start), Position(number, piece.stop))
        if piece.stop - start >= limit_bytes:
            return


@contextlib.contextmanager
def _opened(path: Path, size: int | None = None) -> Iterator[mmap.mmap | bytes]:
    """The first `size` bytes of a file, or all of them."""
    with path.open("rb") as file:
        length = path.stat().st_size if size is None else size
        if length == 0:
            # An empty file cannot be mapped.
            yield b""
            return
        with mmap.mmap(file.fileno(), length, access=mmap.ACCESS_READ) as buffer:
            yield buffer
