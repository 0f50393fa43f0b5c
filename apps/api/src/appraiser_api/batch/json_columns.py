"""Reads listings written as JSON with a list per column, a part of each list at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

import msgspec
import numpy as np
import polars as pl

from appraiser_api.batch.chunks import Chunk, Fault, check_names, chunk_rows, numbered
from appraiser_api.batch.errors import BatchBodyError, BatchTooLargeError
from appraiser_api.batch.json_cells import NOT_JSON, NUMBERS, TEXTS, broken, frame_of, series_of, why
from appraiser_api.errors import MEBIBYTE
from appraiser_schema import LISTING_COLUMNS
from appraiser_schema.frames import ROW_NUMBER

LIMIT_BYTES: Final = 128 * MEBIBYTE
"""The columns stand one after the other: the first row is known when the last one has begun."""

FIRST_BYTES: Final = 32 * 1024
"""So much of a column is read first; the rows of the first chunk are in it."""

PART_BYTES: Final = 512 * 1024
"""So much is read at once later on: what polars makes of it fits into the caches of a processor."""

_GROWTH: Final = 4

_CELLS: Final[dict[str, Any]] = {
    **dict.fromkeys(TEXTS, list[str | None]),
    **dict.fromkeys(NUMBERS, list[float | None]),
    "zip_code": list[str | float | None],
}
"""What a column holds where every cell has the type that `Listing` takes."""

type Cells = pl.Series | list[Any]
"""Some cells of a column: where every one has its type, or to be looked at one by one."""


def read_columns(file: IO[bytes]) -> Iterator[Chunk]:
    """Read an object with a list per column.

    Raises:
        BatchBodyError: It is none, or its lists are not of one length.
        BatchShapeError: There is no column with the state.
        BatchTooLargeError: It is longer than LIMIT_BYTES.
    """
    body = file.read(LIMIT_BYTES + 1)
    if len(body) > LIMIT_BYTES:
        raise BatchTooLargeError(LIMIT_BYTES)
    raw = _raw_columns(body)
    unknown = check_names(list(raw))
    if unknown:
        raise BatchBodyError("JSON", f"must have columns of a listing only: {', '.join(LISTING_COLUMNS)}", unknown[0])
    _check_lengths(raw)
    columns = {name: _Column(_parts(name, cells)) for name, cells in raw.items() if name in LISTING_COLUMNS}
    first = 1
    while rows := _one_length(part := {n: column.take(chunk_rows(first - 1)) for n, column in columns.items()}):
        yield _chunk(part, first)
        first += rows


def _raw_columns(body: bytes) -> dict[str, memoryview]:
    """The columns as they are written; those that are null count as absent."""
    try:
        columns = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except NOT_JSON as error:
        raise _no_columns(error, body) from None
    views = {name: memoryview(cells) for name, cells in columns.items()}
    return {name: cells for name, cells in views.items() if bytes(cells[:5]) != b"null"}


def _check_lengths(columns: dict[str, memoryview]) -> None:
    """Refuse columns of several lengths before the first row of them is answered."""
    if len({_likely_length(name, cells) for name, cells in columns.items()}) > 1:
        _one_length({name: range(sum(map(len, _parts(name, cells)))) for name, cells in columns.items()})


def _likely_length(name: str, cells: memoryview) -> int:
    """How many cells a column has: one more than commas, unless some stand within its texts or it is no list."""
    if name not in _CELLS or len(cells) == len("[]"):
        return sum(map(len, _parts(name, cells)))
    return int(np.count_nonzero(np.frombuffer(cells, dtype=np.uint8) == ord(","))) + 1


def _one_length(columns: dict[str, Any]) -> int:
    lengths = {len(cells) for cells in columns.values()}
    if len(lengths) > 1:
        raise BatchBodyError("JSON", "must have columns of one length", str(sorted(lengths)))
    return lengths.pop()


@dataclass(slots=True)
class _Column:
    """The cells of a column, to be taken as many as are wanted."""

    parts: Iterator[Cells]
    rest: Cells | None = None

    def take(self, rows: int) -> Cells:
        """The next cells: so many, or as many as there are left."""
        cells = next(self.parts, []) if self.rest is None else self.rest
        while len(cells) < rows and (more := next(self.parts, None)) is not None:
            cells = _joined(cells, more)
        self.rest = cells[rows:]
        return cells[:rows]


def _joined(one: Cells, other: Cells) -> Cells:
    if isinstance(one, pl.Series) and isinstance(other, pl.Series):
        return pl.concat([one, other])
    return [*one, *other]


def _parts(name: str, cells: memoryview) -> Iterator[Cells]:
    """The cells of a column, in their order.

    Raises:
        BatchBodyError: It is no list.
    """
    begin, size = 1, FIRST_BYTES
    if name in _CELLS and cells[0] == ord("["):
        while text := _cut(cells, begin, size, b"," if name in NUMBERS else b'",'):
            try:
                yield _cells(name, b"[%s]" % text)
            except BatchBodyError:
                break  # It was cut within a text, or in a list that stands where a cell should.
            begin += len(text) + 1
            size = min(_GROWTH * size, PART_BYTES)
    if begin == 1:
        yield _decoded(name, bytes(cells))
    elif begin < len(cells):
        yield _decoded(name, b"[" + cells[begin:])


def _cut(cells: memoryview, begin: int, size: int, end_of_cell: bytes) -> bytes:
    """The text of the next cells; nothing where there are none, or no place to cut is found."""
    last = len(cells) - 1
    text = bytes(cells[begin : min(begin + size, last)])
    if begin + size >= last:
        return text
    place = text.rfind(end_of_cell)
    return b"" if place < 0 else text[: place + len(end_of_cell) - 1]


def _cells(name: str, text: bytes) -> Cells:
    typed = _typed(name, text)
    return _decoded(name, text) if typed is None else typed


def _typed(name: str, text: bytes) -> pl.Series | None:
    """Cells that certainly have their type, read by polars, which lets other threads work meanwhile.

    It takes what is refused here, true for 1 and numbers for texts: None where such a cell may be.
    """
    number = name in NUMBERS
    if any(sign in text for sign in ((b"t", b"f") if number else (b"\\",))):
        return None
    kind = pl.List(pl.Float64() if number else pl.String())
    try:
        cells: pl.Series = pl.Series([text]).cast(pl.String).str.json_decode(kind)[0].alias(name)
    except pl.exceptions.PolarsError:
        return None
    # Each text stands between two quotes, and nothing else does.
    quotes = np.count_nonzero(np.frombuffer(text, dtype=np.uint8) == ord('"'))
    return cells if number or quotes == 2 * (len(cells) - cells.null_count()) else None


def _decoded(name: str, text: bytes) -> Cells:
    try:
        if name in _CELLS:
            try:
                return series_of(name, msgspec.json.decode(text, type=_CELLS[name]))
            except msgspec.ValidationError:
                pass
        return msgspec.json.decode(text, type=list[Any])
    except NOT_JSON as error:
        raise _no_columns(error, text) from None


def _no_columns(error: Exception, text: bytes) -> BatchBodyError:
    return BatchBodyError("JSON", f"must be a list of listings, or a list per column: {why(error)}", text[:60])


def _chunk(part: dict[str, Cells], first: int) -> Chunk:
    series = [cells for cells in part.values() if isinstance(cells, pl.Series)]
    if len(series) == len(part):
        return Chunk(numbered(pl.DataFrame(series), first))
    return _loose_chunk({n: c if isinstance(c, list) else c.to_list() for n, c in part.items()}, first)


def _loose_chunk(part: dict[str, list[Any]], first: int) -> Chunk:
    faults = [
        Fault(number, name, rule, str(cell))
        for name, cells in part.items()
        for number, cell in enumerate(cells, first)
        if (rule := broken(name, cell)) is not None
    ]
    bad = {fault.row for fault in faults}
    if bad:
        keep = [number not in bad for number in range(first, first + len(part["state"]))]
        part = {
            name: [cell if ok else None for cell, ok in zip(cells, keep, strict=True)] for name, cells in part.items()
        }
    frame = numbered(frame_of(part), first)
    return Chunk(frame.filter(~pl.col(ROW_NUMBER).is_in(bad)) if bad else frame, faults)
