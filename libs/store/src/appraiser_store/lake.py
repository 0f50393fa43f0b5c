"""The lake: listings by batch in Iceberg tables, that other engines read as well."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import AlwaysTrue, BooleanExpression, EqualTo, In
from pyiceberg.table import DataScan
from pyiceberg.table import Table as IcebergTable

from appraiser_schema import Split
from appraiser_store.catalog import LOCK, RemoteTables, open_catalog
from appraiser_store.columns import BATCH_NUMBER, ORDER, lake_schema, rows_of_batch
from appraiser_store.errors import RowsError, SnapshotError
from appraiser_store.lock import exclusive
from appraiser_store.reading import ROWS_PER_BATCH, record_batches, typed
from appraiser_store.seen import Hashes, Seen
from appraiser_store.tables import Table
from appraiser_store.writing import discard, files_of_batch, overwrite, write

_BATCH: Final = "appraiser.batch-number"
_DIGEST: Final = "appraiser.file-digest"
_FILE: Final = "appraiser.file"
"""What a snapshot says of the write that made it."""

_ALL: Final[BooleanExpression] = AlwaysTrue()


class Lake:
    """Tables of listings below one folder; open one with `Lake.open`.

    Readers see the last finished write, whole. Writers, of any process, take turns.
    """

    def __init__(self, root: Path, catalog: SqlCatalog) -> None:
        self.root = root
        self._catalog = catalog

    @classmethod
    def open(cls, root: Path, remote: RemoteTables | None = None) -> Self:
        """Open the lake below a folder and create what is missing; processes may do so at the same moment.

        Args:
            root: The folder.
            remote: Where the tables are; None means below the folder. The lock of the writers and what they remember
                of earlier batches stay there, so that all who write share the folder.

        Raises:
            ForeignLakeError: The folder holds something else, a lake that was made in another place, or a remote one
                does not answer.
            LakeSchemaError: A table has other columns than this version of the code writes.
        """
        root = root.resolve()
        return cls(root, open_catalog(root, remote))

    def close(self) -> None:
        """Give back the connections to the catalog."""
        self._catalog.close()

    def replace_batch(self, table: Table, batch_number: int, rows: pl.DataFrame | Iterable[pl.DataFrame]) -> int:
        """Put these rows in the place of all rows of the batch, at once or not at all.

        Args:
            table: Which table.
            batch_number: Whose rows; the column 'batch_number' may be absent.
            rows: The columns of the table in any order; no rows empty the batch. They may come some at a time, one
                after the other by row number, and are never held together then. An error in between is passed on and
                changes nothing.

        Returns:
            The snapshot that ends with this batch. Where the batch holds exactly these rows already, nothing is
            changed and it is the snapshot in which they came.

        Raises:
            RowsError: The rows do not fit the table.
        """
        slices = [rows] if isinstance(rows, pl.DataFrame) else rows
        fitted = (rows_of_batch(table, batch_number, part) for part in slices)
        written = write(self._catalog.load_table(table), table, batch_number, fitted)
        marks = {_BATCH: str(batch_number), _DIGEST: written.digest, _FILE: written.path or ""}
        with exclusive(self.root / LOCK):
            iceberg = self._catalog.load_table(table)
            if known := _snapshot_of_batch(iceberg, batch_number, written.digest):
                discard(iceberg, written)
                return known
            return overwrite(iceberg, batch_number, written, marks)

    def read(
        self,
        table: Table,
        *,
        columns: Sequence[str] | None = None,
        batches: Collection[int] | None = None,
        split: Split | None = None,
        snapshot_id: int | None = None,
    ) -> pl.DataFrame:
        """Read rows, sorted by batch number and row number.

        Args:
            table: Which table.
            columns: Which columns, in this order; None means all, as `lake_schema` names them.
            batches: Numbers of the batches; None means all.
            split: Which part of clean listings; None means all.
            snapshot_id: As of which snapshot; None means the latest.

        Raises:
            RowsError: The table has no such column.
            SnapshotError: The table has no such snapshot.
        """
        chosen = _chosen(table, columns, split)
        needed = tuple(dict.fromkeys((*ORDER[table], *chosen)))
        scan = self._scan(table, snapshot_id, _filter(batches, split)).select(*needed)
        return typed(table, scan.to_arrow()).sort(ORDER[table]).select(chosen)

    def read_batches(
        self,
        table: Table,
        *,
        columns: Sequence[str] | None = None,
        batches: Collection[int] | None = None,
        split: Split | None = None,
        snapshot_id: int | None = None,
        rows: int = ROWS_PER_BATCH,
    ) -> Iterator[pl.DataFrame]:
        """Read the rows that `read` gives, in the same order, some at a time: memory does not grow with the table.

        Args:
            table: Which table, `Table.RAW` or `Table.CLEAN`; quarantine is read at once.
            columns: Which columns, in this order; None means all. No other is read.
            batches: Numbers of the batches; None means all.
            split: Which part of clean listings; None means all.
            snapshot_id: As of which snapshot; None means the latest.
            rows: How many rows are read at once.

        Raises:
            RowsError: The table has no such column.
            SnapshotError: The table has no such snapshot.
        """
        chosen = _chosen(table, columns, split)
        if table is Table.QUARANTINE:
            return self.read(table, columns=chosen, batches=batches, snapshot_id=snapshot_id).iter_slices(rows)
        return record_batches(table, self._scan(table, snapshot_id, _filter(batches, None)), chosen, split, rows)

    def seen_before(self, batch_number: int) -> Callable[[pl.Series], pl.Series]:
        """Gives what tells which rows stand in clean.listings of an earlier batch already.

        No earlier batch is read but those that came since it was last asked.

        Args:
            batch_number: Number of the batch whose earlier ones count.

        Returns:
            Takes the row_hash of each row, Int64, not negative, shape (n,); returns Boolean, shape (n,).
        """
        earlier = {
            number: files for number, files in _files(self._scan(Table.CLEAN, None)).items() if number < batch_number
        }
        index = Seen(self.root / "seen", self._hashes_of)
        return lambda row_hash: pl.Series("seen", index.among(row_hash.to_numpy().view(np.uint64), earlier))

    def batch_rows(self, table: Table, snapshot_id: int | None = None) -> dict[int, int]:
        """Rows by batch number, ascending, read off the table's description; batches without rows are left out.

        Raises:
            SnapshotError: The table has no such snapshot.
        """
        return _batch_rows(self._scan(table, snapshot_id))

    def snapshot_id(self, table: Table) -> int | None:
        """The latest snapshot; None where nothing was ever written."""
        latest = self._catalog.load_table(table).current_snapshot()
        return None if latest is None else latest.snapshot_id

    def _hashes_of(self, batch_number: int) -> Hashes:
        rows = self.read(Table.CLEAN, columns=["row_hash"], batches=[batch_number])
        return rows["row_hash"].to_numpy().view(np.uint64)

    def _scan(self, table: Table, snapshot_id: int | None, rows: BooleanExpression = _ALL) -> DataScan:
        iceberg = self._catalog.load_table(table)
        if snapshot_id is not None and iceberg.snapshot_by_id(snapshot_id) is None:
            raise SnapshotError(table, snapshot_id)
        return iceberg.scan(row_filter=rows, snapshot_id=snapshot_id)


def _chosen(table: Table, columns: Sequence[str] | None, split: Split | None) -> list[str]:
    schema = lake_schema(table)
    chosen = list(schema) if columns is None else list(columns)
    if unknown := [name for name in (*chosen, *(["split"] if split else [])) if name not in schema]:
        raise RowsError(table, f"it has no column {unknown[0]!r}")
    return chosen


def _filter(batches: Collection[int] | None, split: Split | None) -> BooleanExpression:
    rows = _ALL
    if batches is not None:
        rows &= In(term=BATCH_NUMBER, literals=set(batches))
    if split is not None:
        rows &= EqualTo(term="split", value=split.value)
    return rows


def _batch_rows(scan: DataScan) -> dict[int, int]:
    rows: dict[int, int] = {}
    for task in scan.plan_files():
        batch_number = int(task.file.partition[0])
        rows[batch_number] = rows.get(batch_number, 0) + task.file.record_count
    return dict(sorted(rows.items()))


def _files(scan: DataScan) -> dict[int, str]:
    """What the rows of each batch are now: a digest of the names of their files, none of which is ever changed.

    The table says so itself, whoever wrote it. The log of snapshots does not: old ones are expired, and those of other
    engines tell no batch.
    """
    names: dict[int, list[str]] = {}
    for task in scan.plan_files():
        files = (task.file, *task.delete_files)
        names.setdefault(int(task.file.partition[0]), []).extend(file.file_path for file in files)
    return {number: sha256("\n".join(sorted(each)).encode()).hexdigest() for number, each in names.items()}


def _snapshot_of_batch(iceberg: IcebergTable, batch_number: int, digest: str) -> int | None:
    """The snapshot in which these very rows came, where they are what the batch holds now.

    The log of snapshots alone would not tell: other engines rewrite and delete rows, and their snapshots name no batch.
    Nor do parents lead from one to the next: some of them are expired.
    """
    for snapshot in sorted(iceberg.snapshots(), key=lambda each: -(each.sequence_number or 0)):
        summary = snapshot.summary
        if summary is not None and summary[_BATCH] == str(batch_number):
            file = summary[_FILE]
            there = files_of_batch(iceberg, batch_number) == ([file] if file else [])
            return snapshot.snapshot_id if there and summary[_DIGEST] == digest else None
    return None
