"""Reads listings written as JSON: a list of them, or one per line."""

import re
from collections.abc import Callable, Iterator
from typing import IO, Any, Final

import msgspec
import polars as pl

from appraiser_api.batch.chunks import CHUNK_ROWS, Chunk, Fault, numbered, with_status
from appraiser_api.batch.errors import BatchBodyError
from appraiser_api.batch.json_cells import NOT_JSON, broken, frame_of, why
from appraiser_api.batch.json_columns import read_columns
from appraiser_api.errors import MEBIBYTE
from appraiser_schema import LISTING_COLUMNS
from appraiser_schema.frames import ROW_NUMBER

BLOCK_BYTES: Final = 4 * MEBIBYTE
"""Some 16,000 listings; also the longest that one listing may be."""

_END_OF_OBJECT: Final = re.compile(rb"\}\s*,")
_BLANKS: Final = b" \t\r\n"

type Decode = Callable[[bytes, Any], list[Any]]


class _Listing(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A listing with the types that `Listing` takes; whatever differs is looked at cell by cell."""

    status: str | msgspec.UnsetType | None = msgspec.UNSET
    bed: float | None = None
    bath: float | None = None
    acre_lot: float | None = None
    house_size: float | None = None
    state: str | None = None
    city: str | None = None
    zip_code: str | float | None = None
    prev_sold_date: str | None = None
    price: Any = None
    brokered_by: Any = None
    street: Any = None


def is_columns(file: IO[bytes]) -> bool:
    """Whether a JSON body is an object with a list per column; the file is left at its beginning."""
    start = file.read(BLOCK_BYTES).lstrip(_BLANKS)
    file.seek(0)
    return start[:1] == b"{"


def read_json(file: IO[bytes]) -> Iterator[Chunk]:
    """Read a list of listings, or an object with a list per column, whichever the body begins with.

    Raises:
        BatchBodyError: It is neither.
    """
    start = file.read(BLOCK_BYTES).lstrip(_BLANKS)
    if start[:1] == b"{":
        file.seek(0)
        yield from read_columns(file)
    elif start[:1] == b"[":
        yield from _chunks(_pieces_of_list(start[1:], file), _decode_list)
    else:
        raise BatchBodyError("JSON", "must begin with '[' or '{'", start[:60])


def read_lines(file: IO[bytes]) -> Iterator[Chunk]:
    """Read one listing per line. Empty lines count for nothing.

    Raises:
        BatchBodyError: A line is no JSON.
    """
    yield from _chunks(_pieces_of_lines(file), _decode_lines)


def _chunks(pieces: Iterator[bytes], decode: Decode) -> Iterator[Chunk]:
    first = 1
    for piece in pieces:
        for rows in _portions(_typed_or_loose(piece, decode)):
            typed = not rows or isinstance(rows[0], _Listing)
            yield _typed_chunk(rows, first) if typed else _loose_chunk(rows, first)
            first += len(rows)


def _portions(rows: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), CHUNK_ROWS):
        yield rows[start : start + CHUNK_ROWS]


def _typed_or_loose(piece: bytes, decode: Decode) -> list[Any]:
    try:
        return decode(piece, _Listing)
    except msgspec.ValidationError:
        return decode(piece, Any)


def _decode_list(piece: bytes, kind: Any) -> list[Any]:
    try:
        return msgspec.json.decode(b"[" + piece + b"]", type=list[kind])
    except msgspec.ValidationError:
        raise
    except NOT_JSON as error:
        raise BatchBodyError("JSON", f"must be a list of JSON objects: {why(error)}", piece[:60]) from None


def _decode_lines(piece: bytes, kind: Any) -> list[Any]:
    try:
        return msgspec.json.Decoder(kind).decode_lines(piece)
    except msgspec.ValidationError:
        raise
    except NOT_JSON as error:
        raise BatchBodyError("JSON lines", f"must be one JSON object per line: {why(error)}", piece[:60]) from None


def _pieces_of_lines(file: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while block := file.read(BLOCK_BYTES):
        whole, newline, cut = block.rpartition(b"\n")
        if newline:
            yield rest + whole
            rest = cut
        elif len(rest) + len(block) > BLOCK_BYTES:
            raise BatchBodyError("JSON lines", f"must have lines of at most {BLOCK_BYTES:,} bytes", rest[:60])
        else:
            rest += block
    if rest.strip():
        yield rest


def _pieces_of_list(rest: bytes, file: IO[bytes]) -> Iterator[bytes]:
    """The inside of a list, cut between its objects, in pieces that are lists of their own between brackets."""
    while block := file.read(BLOCK_BYTES):
        piece, rest = _cut(rest)
        if piece:
            yield piece
        if len(rest) > 2 * BLOCK_BYTES:
            raise BatchBodyError("JSON", f"must hold listings of at most {BLOCK_BYTES:,} bytes", rest[:60])
        rest += block
    last = rest.rstrip(_BLANKS)
    if last[-1:] != b"]":
        raise BatchBodyError("JSON", "must end with ']': it was cut off, or something follows the list", last[-60:])
    inside = last[:-1].rstrip(_BLANKS)
    _checked(inside)
    yield inside


def _cut(text: bytes) -> tuple[bytes, bytes]:
    """Cut after the last object that is whole. What looks like an end may stand inside of a text: then JSON says so."""
    ends = [match.span() for match in _END_OF_OBJECT.finditer(text)]
    place = len(ends)
    while place > 0:
        end, following = ends[place - 1]
        try:
            msgspec.json.decode(b"[" + text[: end + 1] + b"]", type=msgspec.Raw)
        except NOT_JSON:
            place //= 2
        else:
            return text[: end + 1], text[following:]
    if ends:
        _checked(text[: ends[0][0] + 1])
    return b"", text


def _checked(inside: bytes) -> None:
    try:
        msgspec.json.decode(b"[" + inside + b"]", type=msgspec.Raw)
    except NOT_JSON as error:
        raise BatchBodyError("JSON", f"must be a list of JSON objects: {why(error)}", inside[:60]) from None


def _typed_chunk(rows: list[_Listing], first: int) -> Chunk:
    cells: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in LISTING_COLUMNS}
    cells["status"] = with_status(cells["status"], msgspec.UNSET)
    return Chunk(numbered(frame_of(cells), first))


def _loose_chunk(rows: list[Any], first: int) -> Chunk:
    kept: list[dict[str, Any]] = []
    numbers: list[int] = []
    faults: list[Fault] = []
    for number, row in enumerate(rows, first):
        found = list(_faults(row, number))
        faults += found
        if not found:
            kept.append(row)
            numbers.append(number)
    cells = {
        name: [row.get(name, msgspec.UNSET if name == "status" else None) for row in kept] for name in LISTING_COLUMNS
    }
    cells["status"] = with_status(cells["status"], msgspec.UNSET)
    frame = frame_of(cells).with_columns(pl.Series(ROW_NUMBER, numbers, dtype=pl.UInt32))
    return Chunk(frame.select(ROW_NUMBER, *LISTING_COLUMNS), faults)


def _faults(row: Any, number: int) -> Iterator[Fault]:
    if not isinstance(row, dict):
        yield Fault(number, "row", "a JSON object that describes one house", str(row))
        return
    for name, cell in row.items():
        if (rule := broken(name, cell)) is not None:
            yield Fault(number, name, rule, str(cell))
