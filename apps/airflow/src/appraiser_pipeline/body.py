"""The body of a batch: what its head says, and its rows as a table, read in portions of bounded size."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.json

from appraiser_schema import RAW_COLUMNS

type Cell = float | str | bool | None

_WINDOW_BYTES: Final = 65_536
"""Within which the head and the end of a body are looked for; a body that has more around its rows is read whole."""

_PORTION_BYTES: Final = 2 << 20
"""About 9,500 rows: with twice as many a batch takes 20 MB more, and no less time."""

_LISTS: Final = (b'"data":[', b'"data": [')
_BETWEEN: Final = (b"},{", b"}, {")
"""How JSON writers begin the list of rows and divide two rows. What is written otherwise takes the slower way."""

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
    """The rows in portions of whole rows, divided by commas, each with its place in the body [bytes]."""
    kept, read = b"", begin
    while read < end:
        body.seek(read)
        block = body.read(min(_PORTION_BYTES, end - read))
        read += len(block)
        kept += block
        cut = max(kept.rfind(between) for between in _BETWEEN) + 1 if read < end else len(kept)
        if cut:
            yield read - len(kept), kept[:cut]
            kept = kept[cut:].lstrip(b", ")


def _read_portion(portion: bytes) -> pl.DataFrame:
    frame = _read_strictly(portion)
    return _table(msgspec.json.decode(b"[" + portion + b"]", type=list[dict[str, Cell]])) if frame is None else frame


def _read_strictly(portion: bytes) -> pl.DataFrame | None:
    """Read rows in which every cell has the type that the listing API gives it; None where one has not."""
    names = [name for name in RAW_COLUMNS if f'"{name}":'.encode() in portion]
    first = portion[: portion.find(b"}") + 1]
    texts = [*_TEXTS, *(code for code in _CODES if f'"{code}":"'.encode() in first)]
    numbers = [name for name in names if name not in texts]
    between = _BETWEEN[portion.startswith(b" ", len(first) + 1)]
    try:
        portion.decode()  # Arrow would take what is no UTF-8.
        schema = pa.schema((name, pa.float64() if name in numbers else pa.string()) for name in names)
        rows = pa.json.read_json(
            pa.BufferReader(portion.replace(between, b"}\n{")),
            parse_options=pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
        )
    except (UnicodeDecodeError, pa.ArrowInvalid):
        return None
    frame = pl.DataFrame(pl.from_arrow(rows))
    # Arrow also takes NaN and Infinity, which are no JSON.
    return frame if frame.select(pl.all_horizontal(pl.col(numbers).is_finite().all())).item() else None


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
