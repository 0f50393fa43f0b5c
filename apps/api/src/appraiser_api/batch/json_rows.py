"""Reads listings written as JSON: a list of them, one per line, or a list per column."""

import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, Final

import msgspec
import numpy as np
import polars as pl

from appraiser_api.batch.chunks import (
    CHUNK_ROWS,
    NOT_ASKED,
    Chunk,
    Fault,
    check_names,
    chunk_rows,
    numbered,
    with_status,
)
from appraiser_api.batch.errors import BatchBodyError, BatchTooLargeError
from appraiser_api.errors import MEBIBYTE
from appraiser_schema import LISTING_COLUMNS
from appraiser_schema.frames import ROW_NUMBER

BLOCK_BYTES: Final = 4 * MEBIBYTE
"""Some 16,000 listings; also the longest that one listing may be."""

PART_BYTES: Final = 512 * 1024
"""So much of a column is read at once: what polars makes of it fits into the caches of a processor."""

COLUMNS_LIMIT_BYTES: Final = 128 * MEBIBYTE
"""A list per column cannot be read a part at a time."""

NUMBERS: Final = ("bed", "bath", "acre_lot", "house_size")
TEXTS: Final = ("status", "state", "city", "prev_sold_date")

_END_OF_OBJECT: Final = re.compile(rb"\}\s*,")
_BLANKS: Final = b" \t\r\n"

_NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

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


_CELLS: Final[dict[str, Any]] = {
    **dict.fromkeys(TEXTS, list[str | None]),
    **dict.fromkeys(NUMBERS, list[float | None]),
    "zip_code": list[str | float | None],
}
"""What a column holds where every cell has the type that `Listing` takes."""


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
        yield from _read_columns(file)
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
    except _NOT_JSON as error:
        raise BatchBodyError("JSON", f"must be a list of JSON objects: {_why(error)}", piece[:60]) from None


def _decode_lines(piece: bytes, kind: Any) -> list[Any]:
    try:
        return msgspec.json.Decoder(kind).decode_lines(piece)
    except msgspec.ValidationError:
        raise
    except _NOT_JSON as error:
        raise BatchBodyError("JSON lines", f"must be one JSON object per line: {_why(error)}", piece[:60]) from None


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
        except _NOT_JSON:
            place //= 2
        else:
            return text[: end + 1], text[following:]
    if ends:
        _checked(text[: ends[0][0] + 1])
    return b"", text


def _checked(inside: bytes) -> None:
    try:
        msgspec.json.decode(b"[" + inside + b"]", type=msgspec.Raw)
    except _NOT_JSON as error:
        raise BatchBodyError("JSON", f"must be a list of JSON objects: {_why(error)}", inside[:60]) from None


def _typed_chunk(rows: list[_Listing], first: int) -> Chunk:
    cells: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in LISTING_COLUMNS}
    cells["status"] = with_status(cells["status"], msgspec.UNSET)
    return Chunk(numbered(_frame(cells), first))


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
    frame = _frame(cells).with_columns(pl.Series(ROW_NUMBER, numbers, dtype=pl.UInt32))
    return Chunk(frame.select(ROW_NUMBER, *LISTING_COLUMNS), faults)


def _faults(row: Any, number: int) -> Iterator[Fault]:
    if not isinstance(row, dict):
        yield Fault(number, "row", "a JSON object that describes one house", str(row))
        return
    for name, cell in row.items():
        if (rule := _broken(name, cell)) is not None:
            yield Fault(number, name, rule, str(cell))


def _broken(name: str, cell: Any) -> str | None:
    """The rule that a cell breaks by its type, if any."""
    if name in NUMBERS:
        number = isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) < 1e300
        return None if cell is None or number else "a number, without quotes, units or separators"
    if name == "zip_code":
        fits = cell is None or (isinstance(cell, str | int | float) and not isinstance(cell, bool))
        return None if fits else "a zip code: five digits, ZIP+4, or a number from 1 to 99,999"
    if name in TEXTS:
        return None if cell is None or isinstance(cell, str) else "text"
    return None if name in NOT_ASKED else f"one of the fields of a listing: {', '.join(LISTING_COLUMNS)}"


def _frame(cells: dict[str, list[Any]]) -> pl.DataFrame:
    return pl.DataFrame([_series(name, values) for name, values in cells.items()])


def _series(name: str, values: list[Any]) -> pl.Series:
    if name in NUMBERS:
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    try:
        return pl.Series(name, values, dtype=pl.String)
    except TypeError:  # A number stands among the zip codes.
        return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)


def _read_columns(file: IO[bytes]) -> Iterator[Chunk]:
    body = file.read(COLUMNS_LIMIT_BYTES + 1)
    if len(body) > COLUMNS_LIMIT_BYTES:
        raise BatchTooLargeError(COLUMNS_LIMIT_BYTES)
    raw = _raw_columns(body)
    unknown = check_names(list(raw))
    if unknown:
        raise BatchBodyError("JSON", f"must have columns of a listing only: {', '.join(LISTING_COLUMNS)}", unknown[0])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        columns = dict(zip(raw, pool.map(_column, raw, raw.values()), strict=True))
    del raw, body
    lengths = {len(cells) for cells in columns.values()}
    if len(lengths) > 1:
        raise BatchBodyError("JSON", "must have columns of one length", str(sorted(lengths)))
    known = {name: cells for name, cells in columns.items() if name in LISTING_COLUMNS}
    begin, rows = 0, max(lengths)
    while begin < rows:
        part = {name: cells[begin : begin + chunk_rows(begin)] for name, cells in known.items()}
        yield _columns_chunk(part, begin + 1)
        begin += chunk_rows(begin)


def _raw_columns(body: bytes) -> dict[str, msgspec.Raw]:
    """The columns as they are written; those that are null count as absent."""
    try:
        columns = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except _NOT_JSON as error:
        raise _no_columns(error, body) from None
    return {name: cells for name, cells in columns.items() if bytes(memoryview(cells)[:5]) != b"null"}


def _column(name: str, cells: msgspec.Raw) -> pl.Series | list[Any]:
    """A column: its cells where every one has its type, or a list to look at one by one."""
    if name in _CELLS and (typed := _typed_column(name, bytes(cells))) is not None:
        return typed
    try:
        if name in _CELLS:
            try:
                return _series(name, msgspec.json.decode(cells, type=_CELLS[name]))
            except msgspec.ValidationError:
                pass
        return msgspec.json.decode(cells, type=list[Any])
    except _NOT_JSON as error:
        raise _no_columns(error, bytes(cells)) from None


def _typed_column(name: str, text: bytes) -> pl.Series | None:
    """A column where every cell certainly has its type, read by polars, which lets other threads work meanwhile.

    It takes what is refused here, true for 1 and numbers for texts: None where such a cell may be.
    """
    number, text = name in NUMBERS, text.strip(_BLANKS)
    if text[:1] != b"[" or any(sign in text for sign in ((b"t", b"f") if number else (b"\\",))):
        return None
    try:
        parts = [_cells(part, pl.Float64() if number else pl.String()) for part in _parted(text, number=number)]
    except (pl.exceptions.PolarsError, ValueError):
        return None
    cells = pl.concat(parts).alias(name)
    # Each text stands between two quotes, and nothing else does.
    quotes = np.count_nonzero(np.frombuffer(text, dtype=np.uint8) == ord('"'))
    return cells if number or quotes == 2 * (len(cells) - cells.null_count()) else None


def _parted(text: bytes, *, number: bool) -> Iterator[bytes]:
    """Shorter lists with the same cells, for polars takes many times their memory while it reads them.

    Raises:
        ValueError: There is no place to cut.
    """
    inside = text[1:-1]
    # Where this is within a text that begins with a comma, or in a list of a list, the part is no JSON.
    end_of_cell = b"," if number else b'",'
    start = 0
    while len(inside) - start > PART_BYTES:
        end = inside.rindex(end_of_cell, start, start + PART_BYTES) + len(end_of_cell) - 1
        yield b"[%s]" % inside[start:end]
        start = end + 1
    yield b"[%s]" % inside[start:]


def _cells(part: bytes, kind: pl.DataType) -> pl.Series:
    read: pl.Series = pl.Series([part]).cast(pl.String).str.json_decode(pl.List(kind))[0]
    return read


def _no_columns(error: Exception, text: bytes) -> BatchBodyError:
    return BatchBodyError("JSON", f"must be a list of listings, or a list per column: {_why(error)}", text[:60])


def _why(error: Exception) -> str:
    return "lists and objects go too deep" if isinstance(error, RecursionError) else str(error)


def _columns_chunk(part: dict[str, pl.Series | list[Any]], first: int) -> Chunk:
    series = [cells for cells in part.values() if isinstance(cells, pl.Series)]
    if len(series) == len(part):
        return Chunk(numbered(pl.DataFrame(series), first))
    return _loose_columns_chunk({n: c if isinstance(c, list) else c.to_list() for n, c in part.items()}, first)


def _loose_columns_chunk(part: dict[str, list[Any]], first: int) -> Chunk:
    faults = [
        Fault(number, name, rule, str(cell))
        for name, cells in part.items()
        for number, cell in enumerate(cells, first)
        if (rule := _broken(name, cell)) is not None
    ]
    bad = {fault.row for fault in faults}
    if bad:
        keep = [number not in bad for number in range(first, first + len(part["state"]))]
        part = {
            name: [cell if ok else None for cell, ok in zip(cells, keep, strict=True)] for name, cells in part.items()
        }
    frame = numbered(_frame(part), first)
    return Chunk(frame.filter(~pl.col(ROW_NUMBER).is_in(bad)) if bad else frame, faults)
