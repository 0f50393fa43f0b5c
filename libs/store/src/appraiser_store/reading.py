"""How rows come out of a table some at a time, so that memory does not grow with the table."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.table import DataScan, FileScanTask

from appraiser_schema import Split
from appraiser_schema.frames import ROW_NUMBER
from appraiser_store.columns import ORDER, lake_schema
from appraiser_store.tables import Table

ROWS_PER_BATCH: Final = 131_072
"""About 10 MB of clean listings."""


def typed(table: Table, rows: pa.Table | pa.RecordBatch) -> pl.DataFrame:
    """Rows of a table in the types that `lake_schema` names."""
    schema = lake_schema(table)
    frame = pl.DataFrame(pl.from_arrow(rows))
    return frame.select(pl.col(name).cast(schema[name]) for name in frame.columns)


def record_batches(
    table: Table, scan: DataScan, columns: Sequence[str], split: Split | None, rows: int
) -> Iterator[pl.DataFrame]:
    """Read the rows of a scan some at a time, sorted by batch number and row number.

    Args:
        table: Which table the scan is of.
        scan: The batches to read; each is one file, whose rows are in order, or is read at once.
        columns: Which columns, in this order.
        split: Which part of clean listings; None means all.
        rows: How many rows are read at once; with a split, what comes is a part of them.
    """
    by_batch: dict[int, list[FileScanTask]] = {}
    for task in scan.plan_files():
        by_batch.setdefault(int(task.file.partition[0]), []).append(task)
    needed = list(dict.fromkeys((*columns, *(["split"] if split else []))))
    for _, tasks in sorted(by_batch.items()):
        whole = None if _in_order(scan.io, tasks) else _sorted(table, scan, tasks, needed)
        parts = _stream(table, scan.io, tasks[0], needed, rows) if whole is None else whole.iter_slices(rows)
        for part in parts:
            kept = part.filter(split=split.value) if split else part
            if kept.height:
                yield kept.select(columns)


def _stream(table: Table, io: FileIO, task: FileScanTask, columns: list[str], rows: int) -> Iterator[pl.DataFrame]:
    with io.new_input(task.file.file_path).open() as source, pq.ParquetFile(source) as file:
        for part in _groups(file, columns, rows):
            yield typed(table, part).select(columns)


def _groups(file: pq.ParquetFile, columns: list[str], rows: int) -> Iterator[pa.Table | pa.RecordBatch]:
    """The rows some at a time: by its groups where so many fit, which takes two thirds of the time."""
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    if max(sizes, default=0) > rows:
        yield from file.iter_batches(rows, columns=columns)
        return
    first = 0
    for group in range(1, len(sizes) + 1):
        if group == len(sizes) or sum(sizes[first : group + 1]) > rows:
            yield file.read_row_groups(list(range(first, group)), columns=columns)
            first = group


def _in_order(io: FileIO, tasks: list[FileScanTask]) -> bool:
    """Whether a batch is one file with ascending row numbers, as `writing` makes it; other engines write as well."""
    if len(tasks) > 1 or tasks[0].delete_files:
        return False
    with io.new_input(tasks[0].file.file_path).open() as source:
        numbers = pq.ParquetFile(source).read([ROW_NUMBER])[ROW_NUMBER].to_numpy()
    return bool((np.diff(numbers) > 0).all())


def _sorted(table: Table, scan: DataScan, tasks: list[FileScanTask], columns: list[str]) -> pl.DataFrame:
    wanted = list(dict.fromkeys((*ORDER[table], *columns)))
    metadata = scan.table_metadata
    projected = metadata.schema().select(*wanted)
    rows = ArrowScan(metadata, scan.io, projected, scan.row_filter).to_table(tasks)
    return typed(table, rows).sort(ORDER[table]).select(columns)
