"""How the rows of a batch come into a table: one file, written in slices, and one commit that takes it in."""

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import polars as pl
import pyarrow.parquet as pq
from pyiceberg.expressions import EqualTo
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from pyiceberg.table import Table as IcebergTable

from appraiser_schema.frames import ROW_NUMBER
from appraiser_store.catalog import arrow_schema
from appraiser_store.columns import BATCH_NUMBER
from appraiser_store.errors import RowsError
from appraiser_store.tables import Table

_ROWS_PER_GROUP: Final = 16_384
"""Bounds what a writer holds, and what a reader takes in at once."""

_BYTES_AT_ONCE: Final = 1 << 20

_REPEATING: Final = (
    BATCH_NUMBER, "split", "status", "bed", "bath", "acre_lot", "city", "state", "zip_code", "prev_sold_date",
    "stage", "column", "rule",
)  # fmt: skip
"""Columns whose values come again and again. For the others Parquet's dictionaries take time and no space less:
without them a batch of 300,000 rows is written in half the time, and is a tenth smaller."""


@dataclass(frozen=True, slots=True)
class Written:
    """Rows of a batch in a file that no table knows of yet.

    Attributes:
        path: Where the file is; None where there were no rows.
        digest: SHA-256 of the file, hexadecimal; empty where there is none. The same rows give the same file, however
            many came at once; after a new version of Parquet's writer they may give another one, and then count as
            other rows.
    """

    path: str | None
    digest: str


def write(iceberg: IcebergTable, table: Table, batch_number: int, slices: Iterable[pl.DataFrame]) -> Written:
    """Write the rows of a batch, that come some at a time, to a file; an error in between leaves none behind.

    Args:
        iceberg: The table.
        table: Which one it is.
        batch_number: Of all rows.
        slices: As `rows_of_batch` gives them, one after the other by row number.

    Raises:
        RowsError: Row numbers do not ascend from slice to slice.
    """
    path = f"{iceberg.location()}/data/{BATCH_NUMBER}={batch_number}/{uuid.uuid4()}.parquet"
    schema = arrow_schema(table)
    known = [name for name in _REPEATING if name in schema.names]
    opened = False
    try:
        with ExitStack() as open_file:
            for rows in _groups(_ascending(table, slices)):
                if not opened:
                    file = open_file.enter_context(iceberg.io.new_output(path).create())
                    opened = True
                    parquet = pq.ParquetWriter(file, schema, compression="zstd", use_dictionary=known)
                    writer = open_file.enter_context(parquet)
                writer.write_table(rows.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema))
        return Written(path if opened else None, _digest(iceberg, path) if opened else "")
    except BaseException:
        if opened:
            iceberg.io.delete(path)
        raise


def _digest(iceberg: IcebergTable, path: str) -> str:
    digest = hashlib.sha256()
    with iceberg.io.new_input(path).open() as file:
        while content := file.read(_BYTES_AT_ONCE):
            digest.update(content)
    return digest.hexdigest()


def files_of_batch(iceberg: IcebergTable, batch_number: int) -> list[str]:
    """The files that hold the rows of a batch now, those that delete rows included, whoever wrote them."""
    tasks = iceberg.scan(row_filter=EqualTo(term=BATCH_NUMBER, value=batch_number)).plan_files()
    return [file.file_path for task in tasks for file in (task.file, *task.delete_files)]


def discard(iceberg: IcebergTable, written: Written) -> None:
    """Remove the file of rows that no table needs."""
    if written.path is not None:
        iceberg.io.delete(written.path)


def overwrite(iceberg: IcebergTable, batch_number: int, written: Written, marks: Mapping[str, str]) -> int:
    """Put rows in the place of all rows of a batch in one commit; what it costs does not follow the other batches.

    Args:
        iceberg: The table.
        batch_number: Of all rows.
        written: The rows.
        marks: What the snapshot says of this write.

    Returns:
        The snapshot that ends with this write.
    """
    batch, is_there = EqualTo(term=BATCH_NUMBER, value=batch_number), bool(files_of_batch(iceberg, batch_number))
    with iceberg.transaction() as transaction:
        if is_there:
            transaction.delete(batch, dict(marks))
        if written.path or not is_there:
            with transaction.update_snapshot(snapshot_properties=dict(marks)).fast_append() as added:
                if written.path:
                    added.append_data_file(parquet_file_to_data_file(iceberg.io, iceberg.metadata, written.path))
    return int(iceberg.metadata.current_snapshot_id or 0)


def _groups(slices: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same rows, as many at once as a group of the file has; where a group ends does not follow the slices."""
    waiting: list[pl.DataFrame] = []
    for rows in slices:
        waiting.append(rows)
        if sum(each.height for each in waiting) >= _ROWS_PER_GROUP:
            *groups, rest = pl.concat(waiting).iter_slices(_ROWS_PER_GROUP)
            whole = rest.height == _ROWS_PER_GROUP
            yield from (group.rechunk() for group in (*groups, *([rest] if whole else [])))
            waiting = [] if whole else [rest]
    if waiting:
        yield pl.concat(waiting, rechunk=True)


def _ascending(table: Table, slices: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    last = 0
    for rows in slices:
        if rows.is_empty():
            continue
        if rows[ROW_NUMBER][0] <= last:
            raise RowsError(table, f"'row_number' {rows[ROW_NUMBER][0]} comes after {last}; slices come in order")
        last = rows[ROW_NUMBER][-1]
        yield rows
