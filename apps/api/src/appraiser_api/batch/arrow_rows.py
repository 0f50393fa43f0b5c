"""Reads listings from Parquet and from a stream of Arrow record batches, a part at a time."""

from collections.abc import Iterator
from typing import IO, Final

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from appraiser_api.batch.chunks import CHUNK_ROWS, Chunk, check_names, numbered
from appraiser_api.batch.errors import BatchBodyError
from appraiser_api.errors import MEBIBYTE
from appraiser_schema import LISTING_COLUMNS

GROUP_LIMIT_BYTES: Final = 512 * MEBIBYTE
"""What a row group may hold once it is unpacked, by its own words: a few kilobytes can unpack to gigabytes."""


def read_parquet(file: IO[bytes]) -> tuple[Iterator[Chunk], tuple[str, ...]]:
    """Read a Parquet file.

    Returns:
        The chunks, and the columns that are not looked at.

    Raises:
        BatchBodyError: It is none, or is damaged.
        BatchShapeError: There is no column with the state.
    """
    try:
        source = parquet.ParquetFile(file)
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
    return _chunks("Parquet", (part for batch in batches for part in _parts(batch))), ignored


def read_arrow(file: IO[bytes]) -> tuple[Iterator[Chunk], tuple[str, ...]]:
    """Read an Arrow IPC stream.

    Returns:
        The chunks, and the columns that are not looked at.

    Raises:
        BatchBodyError: It is none, or is damaged.
        BatchShapeError: There is no column with the state.
    """
    try:
        reader = pa.ipc.open_stream(file)
        ignored, known = _columns("Arrow", reader.schema)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BatchBodyError("Arrow", f"must be an Arrow IPC stream: {_first_line(error)}", "") from None
    return _chunks("Arrow", (part for batch in reader for part in _parts(batch.select(known)))), ignored


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    # What comes from outside may point anywhere and be no text: polars, which trusts it, would end the process.
    batch.validate(full=True)
    # The same goes for the notes that a writer left in the schema.
    batch = pa.RecordBatch.from_arrays(batch.columns, names=batch.schema.names)
    for start in range(0, batch.num_rows, CHUNK_ROWS):
        yield batch.slice(start, CHUNK_ROWS)


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
        for batch in batches:
            yield Chunk(_frame(batch, first))
            first += batch.num_rows
    except (pa.ArrowException, OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise BatchBodyError(
            kind, f"must be whole: from row {first} on it is damaged: {_first_line(error)}", ""
        ) from None


def _frame(batch: pa.RecordBatch, first: int) -> pl.DataFrame:
    frame = pl.from_arrow(batch)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a batch of records is a table
    plain = {pl.Categorical: pl.String, pl.Enum: pl.String, pl.Decimal: pl.Float64, pl.Null: pl.String}
    casts = [pl.col(n).cast(plain[t.base_type()]) for n, t in frame.schema.items() if t.base_type() in plain]
    return numbered(frame.with_columns(casts), first)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
