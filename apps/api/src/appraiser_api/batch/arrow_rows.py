"""Reads listings from Parquet and from a stream of Arrow record batches, a part at a time."""

from collections.abc import Iterator
from typing import IO, Final

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, parquet

from appraiser_api.batch.chunks import CHUNK_ROWS, Chunk, check_names, chunk_rows, numbered
from appraiser_api.batch.errors import BatchBodyError
from appraiser_api.batch.unpacking import largest_unpacked
from appraiser_api.errors import MEBIBYTE
from appraiser_schema import LISTING_COLUMNS

GROUP_LIMIT_BYTES: Final = 512 * MEBIBYTE
"""What a row group or a record batch may hold once it is unpacked, by its own words."""

TEXT_LIMIT_BYTES: Final = 1_000
"""Longer than any text of a listing, of which the longest is a city of 100 characters."""

TEXTS: Final = ("status", "state", "city", "zip_code", "prev_sold_date")


def read_parquet(file: IO[bytes]) -> tuple[Iterator[Chunk], tuple[str, ...]]:
    """Read a Parquet file.

    Returns:
        The chunks, and the columns that are not looked at.

    Raises:
        BatchBodyError: It is none, or is damaged.
        BatchShapeError: There is no column with the state.
    """
    try:
        texts = [name for name in parquet.ParquetFile(file).schema_arrow.names if name in TEXTS]
        source = parquet.ParquetFile(file, read_dictionary=texts)
        metadata = source.metadata
        sizes = [metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)]
        ignored, known = _columns("Parquet", source.schema_arrow)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BatchBodyError("Parquet", f"must be a Parquet file: {_first_line(error)}", "") from None
    if max(sizes, default=0) > GROUP_LIMIT_BYTES:
        raise BatchBodyError(
            "Parquet", f"must have row groups of at most {GROUP_LIMIT_BYTES:,} bytes, unpacked", str(max(sizes))
        )
    batches = source.iter_batches(batch_size=CHUNK_ROWS, columns=known)
    return _chunks("Parquet", batches), ignored


def read_arrow(file: IO[bytes]) -> tuple[Iterator[Chunk], tuple[str, ...]]:
    """Read an Arrow IPC stream.

    Returns:
        The chunks, and the columns that are not looked at.

    Raises:
        BatchBodyError: It is none, or is damaged.
        BatchShapeError: There is no column with the state.
    """
    try:
        largest = largest_unpacked(file)
        schema = pa.ipc.open_stream(file).schema
        ignored, known = _columns("Arrow", schema)
        file.seek(0)
        fields = [schema.names.index(name) for name in known]
        reader = pa.ipc.open_stream(file, options=pa.ipc.IpcReadOptions(included_fields=fields))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BatchBodyError("Arrow", f"must be an Arrow IPC stream: {_first_line(error)}", "") from None
    if largest > GROUP_LIMIT_BYTES:
        raise BatchBodyError(
            "Arrow", f"must have record batches of at most {GROUP_LIMIT_BYTES:,} bytes, unpacked", str(largest)
        )
    return _chunks("Arrow", reader), ignored


def _checked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch; its dictionaries, which all parts of it share, are looked at once."""
    batch.validate()
    columns = [_checked_dictionary(c) if pa.types.is_dictionary(c.type) else c for c in batch.columns]
    # polars trusts the notes that a writer left in the schema: they are left behind.
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _checked_dictionary(column: pa.DictionaryArray) -> pa.DictionaryArray:
    column.validate(full=True)
    texts = column.dictionary
    _check_texts(texts)
    if not pa.types.is_string_view(texts.type):
        return column
    return pa.DictionaryArray.from_arrays(column.indices, texts.cast(pa.large_string()))


def _sound(column: pa.Array) -> pa.Array:
    """A part of a column, as polars may have it.

    What comes from outside may point anywhere and be no text: polars, which trusts it, would end the process.
    """
    if pa.types.is_dictionary(column.type):
        # Written out: polars follows the numbers of what is unknown, too.
        return column.dictionary.take(column.indices)
    column.validate(full=True)
    _check_texts(column)
    return _without_stray_views(column) if pa.types.is_string_view(column.type) and column.null_count else column


def _without_stray_views(column: pa.Array) -> pa.Array:
    """The same texts; the views of those that are unknown, which nobody has checked, are empty."""
    known, views = _known(column), _views(column).copy()
    views[~known] = 0
    _, bits = pa.array(known).buffers()
    return pa.Array.from_buffers(column.type, len(column), [bits, pa.py_buffer(views), *column.buffers()[2:]])


def _check_texts(column: pa.Array) -> None:
    """Refuse long texts: a table may name one a million times and hold it once, until it is written out."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        longest = compute.max(compute.binary_length(column)).as_py() or 0
    elif pa.types.is_string_view(column.type) and len(column):
        longest = int(_lengths_of_views(column).max(initial=0))
    else:
        return
    if longest > TEXT_LIMIT_BYTES:
        raise ValueError(f"there is a text of {longest:,} bytes, where {TEXT_LIMIT_BYTES:,} are the most")


def _lengths_of_views(column: pa.Array) -> NDArray[np.int32]:
    """How long each known text is, without writing it out: the first four of the sixteen bytes of its view."""
    lengths: NDArray[np.int32] = _views(column)[:, 0][_known(column)]
    return lengths


def _views(column: pa.Array) -> NDArray[np.int32]:
    """The views of n texts, shape (n, 4).

    Source: "Variable-size Binary View Layout" of the Arrow columnar format.
    """
    views = np.frombuffer(column.buffers()[1], dtype=np.int32).reshape(-1, 4)
    return views[column.offset : column.offset + len(column)]


def _known(column: pa.Array) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
    return known


def _columns(kind: str, schema: pa.Schema) -> tuple[tuple[str, ...], list[str]]:
    ignored = check_names(list(schema.names))
    known = [name for name in schema.names if name in LISTING_COLUMNS]
    for name in known:
        if not _is_scalar(schema.field(name).type):
            raise BatchBodyError(
                kind, f"must have numbers, texts or dates in the column {name!r}", str(schema.field(name).type)
            )
    return ignored, known


def _is_scalar(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    text = pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_string_view(inner)
    number = pa.types.is_integer(inner) or pa.types.is_floating(inner) or pa.types.is_decimal(inner)
    moment = pa.types.is_date(inner) or pa.types.is_timestamp(inner)
    return bool(text or number or moment or pa.types.is_null(inner))


def _chunks(kind: str, batches: Iterator[pa.RecordBatch]) -> Iterator[Chunk]:
    first = 1
    try:
        for batch in map(_checked, batches):
            start = 0
            while start < batch.num_rows:
                part = batch.slice(start, chunk_rows(first - 1))
                yield Chunk(_frame(part, first))
                start += part.num_rows
                first += part.num_rows
    except (pa.ArrowException, OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise BatchBodyError(
            kind, f"must be whole: from row {first} on it is damaged: {_first_line(error)}", ""
        ) from None


def _frame(batch: pa.RecordBatch, first: int) -> pl.DataFrame:
    frame = pl.from_arrow(pa.RecordBatch.from_arrays(list(map(_sound, batch.columns)), names=batch.schema.names))
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a batch of records is a table
    plain = {pl.Categorical: pl.String, pl.Enum: pl.String, pl.Decimal: pl.Float64, pl.Null: pl.String}
    casts = [pl.col(n).cast(plain[t.base_type()]) for n, t in frame.schema.items() if t.base_type() in plain]
    return numbered(frame.with_columns(casts) if casts else frame, first)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
