"""The body of a batch: what its head says, and its rows as a table, read in portions of bounded size."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from appraiser_schema import RAW_COLUMNS

type Cell = float | str | bool | None
type Letters = NDArray[np.uint8]

_WINDOW_BYTES: Final = 65_536
"""Within which the head and the end of a body are looked for; a body that has more around its rows is read whole."""

_PORTION_BYTES: Final = 2 << 20
"""About 9,500 rows: with twice as many a batch takes 20 MB more, and no less time."""

_LISTS: Final = (b'"data":[', b'"data": [')
"""How JSON writers begin the list of rows. What is written otherwise is read whole."""

_BETWEEN: Final = re.compile(rb"\}(\s*,\s*)$")
_WIDEST_BETWEEN_BYTES: Final = 256
"""What stands between two rows, looked for in front of a bracket; pretty ones are indented by less."""

_CODES: Final = ("brokered_by", "street")
_TEXTS: Final = ("status", "city", "state", "prev_sold_date")


class Head(msgspec.Struct, frozen=True):
    """What stands beside the rows."""

    group_number: int
    batch_number: int
    day: str | None = None


class _LooseBody(msgspec.Struct):
    data: list[dict[str, Cell]]


class BodyError(ValueError):
    """The bytes are not a batch of the listing API."""


def read_head(body: BinaryIO) -> Head:
    """Read which batch a body is, from what stands around its rows.

    A body that was cut off has no end that fits its beginning; what stands in the rows is not looked at.

    Raises:
        BodyError: It is cut off, or no batch.
    """
    if span := _find_rows(body):
        return msgspec.json.decode(_around(body, *span), type=Head)
    body.seek(0)
    whole = body.read()
    try:
        return msgspec.json.decode(whole, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BodyError(f"the body of {len(whole)} bytes is not a batch: {error}") from None


def read_rows(body: BinaryIO) -> pl.DataFrame:
    """Read the rows of a body: one column per name that occurs, in the types that came.

    A row without a name that others have is unknown there. A column with numbers and texts in it becomes texts.

    Raises:
        BodyError: The body has no list of rows.
    """
    return _joined(list(read_portions(body)))


def read_portions(body: BinaryIO) -> Iterator[pl.DataFrame]:
    """Read the rows of a body some at a time, each portion as `read_rows` reads a whole body.

    Raises:
        BodyError: The body has no list of rows; the portions before the fault have come by then.
    """
    span = _find_rows(body)
    if span is None:
        body.seek(0)
        yield _table(_decoded(body.read(), _LooseBody).data)
        return
    for begin, portion in _portions(body, *span):
        try:
            frame = _read_portion(portion)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # A text held what usually divides two rows, so a portion ended inside of it; or this is no JSON at all.
            body.seek(begin)
            yield _table(_decoded(b"[" + body.read(span[1] - begin) + b"]", list[dict[str, Cell]]))
            return
        yield frame


def _decoded[T](content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BodyError(f"the body has no list of rows under 'data': {error}") from None


def _find_rows(body: BinaryIO) -> tuple[int, int] | None:
    """Where the inside of the list of rows begins and ends [bytes], as far as head and end of the body show."""
    size = body.seek(0, 2)
    body.seek(0)
    first = body.read(_WINDOW_BYTES)
    body.seek(max(0, size - _WINDOW_BYTES))
    last = body.read()
    begins = [place + len(words) for words in _LISTS if (place := first.find(words)) >= 0]
    begin, end = min(begins, default=size), size - len(last) + last.rfind(b"]")
    if begin > end:
        return None
    try:
        msgspec.json.decode(_around(body, begin, end), type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return begin, end


def _around(body: BinaryIO, begin: int, end: int) -> bytes:
    body.seek(0)
    head = body.read(begin)
    body.seek(end)
    return head + body.read()


def _portions(body: BinaryIO, begin: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The rows in portions of whole rows, each with its place in the body [bytes]."""
    place, blocks, read = begin, list[bytes](), begin
    while read < end:
        body.seek(read)
        block = body.read(min(_PORTION_BYTES, end - read))
        read += len(block)
        # The bracket may stand in this block and what is in front of it in the one before.
        before = blocks[-1][-_WIDEST_BETWEEN_BYTES:] if blocks else b""
        between = _last_between(before + block) if read < end else None
        if between is None:
            blocks.append(block)
            continue
        portion = b"".join(blocks) + block
        stop, start = (len(portion) - len(before) - len(block) + at for at in between)
        yield place, portion[:stop]
        place, blocks = read - len(portion) + start, [portion[start:]]
    if blocks:
        yield place, b"".join(blocks)


def _last_between(text: bytes) -> tuple[int, int] | None:
    """Where the last row but one ends and the last one begins; that it may be in a text is seen when it is read."""
    start = text.rfind(b"{")
    while start > 0:
        if found := _BETWEEN.search(text, max(0, start - _WIDEST_BETWEEN_BYTES), start):
            return found.start(1), start
        start = text.rfind(b"{", 0, start)
    return None


def _read_portion(portion: bytes) -> pl.DataFrame:
    frame = _read_complete(portion)
    return _table(msgspec.json.decode(b"[" + portion + b"]", type=list[dict[str, Cell]])) if frame is None else frame


def _read_complete(portion: bytes) -> pl.DataFrame | None:
    """Read rows as the listing API sends them: each of the twelve cells known, in its type, and nothing escaped.

    Polars reads them several times as fast as they are decoded row by row, but it passes over names that it was not
    asked for and makes texts of numbers. Where no cell is null, a row has all twelve names; then twelve colons a row
    leave room for no other name, and the quotes tell that each text was one.

    Returns:
        None where that is not sure.
    """
    lines = _lines(portion)
    if lines is None:
        return None
    letters, rows = lines
    first = portion[: portion.find(b"}") + 1]
    texts = {*_TEXTS, *(code for code in _CODES if f'"{code}":"'.encode() in first)}
    quotes, colons = (int(np.count_nonzero(letters == ord(letter))) for letter in '":')
    if (quotes, colons) != (2 * rows * (len(RAW_COLUMNS) + len(texts)), rows * len(RAW_COLUMNS)):
        return None
    schema = {name: pl.String if name in texts else pl.Float64 for name in RAW_COLUMNS}
    try:
        frame = pl.read_ndjson(letters.tobytes(), schema=schema)
    except pl.exceptions.PolarsError:
        return None
    return frame if frame.height == rows and not any(cells.null_count() for cells in frame.iter_columns()) else None


def _lines(portion: bytes) -> tuple[Letters, int] | None:
    """A line for each row, and how many there are; None where other brackets stand there than those around rows."""
    letters = np.frombuffer(portion, dtype=np.uint8).copy()
    begins, ends = (np.flatnonzero(letters == ord(bracket)) for bracket in "{}")
    if b"\\" in portion or not 0 < begins.size == ends.size or begins[0] != 0 or ends[-1] != letters.size - 1:
        return None
    between = portion[ends[0] + 1 : begins[1]] if begins.size > 1 else b","
    if between.strip() != b"," or (begins[1:] - ends[:-1] != len(between) + 1).any():
        return None
    for place, letter in enumerate(between, start=1):
        if (letters[ends[:-1] + place] != letter).any():
            return None
        letters[ends[:-1] + place] = ord("\n")
    return letters, int(begins.size)


def _joined(portions: Sequence[pl.DataFrame]) -> pl.DataFrame:
    frames = [frame for frame in portions if frame.width]
    if not frames:
        return pl.DataFrame(schema=dict.fromkeys(RAW_COLUMNS, pl.String))
    texts = {name for frame in frames for name, dtype in frame.schema.items() if dtype == pl.String}
    return pl.concat(
        [frame.with_columns(pl.col(texts & set(frame.columns)).cast(pl.String)) for frame in frames],
        how="diagonal",
    )


def _table(rows: Sequence[Mapping[str, Cell]]) -> pl.DataFrame:
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame([_series(name, _cells(rows, name)) for name in names])


def _cells(rows: Sequence[Mapping[str, Cell]], name: str) -> list[Any]:
    cells = [row.get(name) for row in rows]
    if any(isinstance(cell, str | bool) for cell in cells):
        return [str(cell) if cell is not None else None for cell in cells]
    return cells


def _series(name: str, cells: list[Any]) -> pl.Series:
    first = next((cell for cell in cells if cell is not None), None)
    return pl.Series(name, cells, dtype=pl.String if isinstance(first, str) else pl.Float64)
