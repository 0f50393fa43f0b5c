"""Frames: how one record lies in a segment, so that a torn or damaged one is recognised and those after it are found.

A frame is `MAGIC`, the length of the payload, a CRC-32 over length and payload, and the payload. The magic bytes are
no UTF-8, so that no text inside a record can look like the beginning of one.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import Final

MAGIC: Final = b"\xf5APR"
_HEADER: Final = struct.Struct("<4sII")
HEADER_BYTES: Final = _HEADER.size

type Buffer = bytes | mmap


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a segment, from `start` to before `stop`: a whole frame, or bytes that are none."""

    start: int
    stop: int
    whole: bool


def frame(payload: bytes) -> bytes:
    """Put a payload into its frame."""
    length = len(payload)
    return _HEADER.pack(MAGIC, length, zlib.crc32(payload, length)) + payload


def payload_of(buffer: Buffer, piece: Piece) -> bytes:
    """The payload of a whole frame."""
    return bytes(buffer[piece.start + HEADER_BYTES : piece.stop])


def pieces(buffer: Buffer, start: int, end: int) -> Iterator[Piece]:
    """Divide what lies from `start` to before `end` into whole frames and what is damaged between or after them."""
    while start < end:
        stop = frame_end(buffer, start, end)
        whole = stop is not None
        if stop is None:
            stop = _next_frame(buffer, start + 1, end)
        yield Piece(start, stop, whole)
        start = stop


def frame_end(buffer: Buffer, start: int, end: int) -> int | None:
    """Where the frame ends that begins at `start`; None where no whole and undamaged one does."""
    if start < 0 or start + HEADER_BYTES > end:
        return None
    magic, length, checksum = _HEADER.unpack_from(buffer, start)
    stop: int = start + HEADER_BYTES + length
    if magic != MAGIC or stop > end or zlib.crc32(buffer[start + HEADER_BYTES : stop], length) != checksum:
        return None
    return stop


def _next_frame(buffer: Buffer, start: int, end: int) -> int:
    while (found := buffer.find(MAGIC, start, end)) >= 0:
        if frame_end(buffer, found, end) is not None:
            return found
        start = found + 1
    return end
