"""Expires snapshots of the lake with the files that only they need, and counts what the ledger would forget."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pyiceberg.io import FileIO
from pyiceberg.table import Table as IcebergTable
from pyiceberg.table.snapshots import Snapshot
from sqlalchemy import func, select

from appraiser_store.catalog import LOCK
from appraiser_store.lake import Lake
from appraiser_store.ledger import Ledger
from appraiser_store.lock import exclusive
from appraiser_store.prediction_tables import PREDICTIONS
from appraiser_store.tables import Table


@dataclass(frozen=True, slots=True)
class Expiry:
    """What goes of a table.

    Attributes:
        snapshots: Their ids.
        kept: How many snapshots stay.
        files: Files that no other snapshot needs, with their sizes. [bytes]
    """

    snapshots: tuple[int, ...]
    kept: int
    files: Mapping[str, int]


def expirable(lake: Lake, table: Table, keep: Collection[int], before: dt.datetime) -> Expiry:
    """Tell what `expire` would remove. The latest snapshot, and one with a name of its own, always stay.

    Args:
        lake: The lake.
        table: Which table.
        keep: Snapshots that are kept, however old.
        before: Only those that were made earlier go.
    """
    return _expirable(lake._catalog.load_table(table), keep, before)  # noqa: SLF001 - of the same library


def expire(lake: Lake, table: Table, keep: Collection[int], before: dt.datetime) -> Expiry:
    """Remove snapshots, in one commit, and then the files that only they needed.

    Who reads one of them at this moment may find its files gone. Killed after the commit, files stay behind that
    nothing names; they cost room and nothing else.

    Args:
        lake: The lake.
        table: Which table.
        keep: Snapshots that are kept, however old.
        before: Only those that were made earlier go.
    """
    with exclusive(lake.root / LOCK):
        iceberg = lake._catalog.load_table(table)  # noqa: SLF001 - of the same library
        found = _expirable(iceberg, keep, before)
        if found.snapshots:
            iceberg.maintenance.expire_snapshots().by_ids(list(found.snapshots)).commit()
            for path in found.files:
                _delete(iceberg.io, path)
    return found


def predictions_before(ledger: Ledger, instant: dt.datetime) -> int:
    """How many appraisals `Ledger.delete_predictions_before` would forget."""
    with ledger._engine.connect() as connection:  # noqa: SLF001 - of the same library
        query = select(func.count()).select_from(PREDICTIONS).where(PREDICTIONS.c.at < instant)
        return int(connection.scalar(query) or 0)


def _expirable(iceberg: IcebergTable, keep: Collection[int], before: dt.datetime) -> Expiry:
    named = {ref.snapshot_id for ref in iceberg.metadata.refs.values()} | set(keep)
    old = before.timestamp() * 1000
    going = [s for s in iceberg.snapshots() if s.timestamp_ms < old and s.snapshot_id not in named]
    staying = [s for s in iceberg.snapshots() if s not in going]
    if not going:
        return Expiry((), len(staying), {})
    read: dict[str, dict[str, int]] = {}
    needed = _files_of(iceberg.io, staying, read)
    files = {path: size for path, size in _files_of(iceberg.io, going, read).items() if path not in needed}
    return Expiry(tuple(s.snapshot_id for s in going), len(staying), files)


def _files_of(io: FileIO, snapshots: Iterable[Snapshot], read: dict[str, dict[str, int]]) -> dict[str, int]:
    """Files that snapshots need, with their sizes; a manifest that several have is read once."""
    files: dict[str, int] = {}
    for snapshot in snapshots:
        files[snapshot.manifest_list] = len(io.new_input(snapshot.manifest_list))
        for manifest in snapshot.manifests(io):
            files[manifest.manifest_path] = manifest.manifest_length
            if manifest.manifest_path not in read:
                entries = manifest.fetch_manifest_entry(io, discard_deleted=True)
                read[manifest.manifest_path] = {e.data_file.file_path: e.data_file.file_size_in_bytes for e in entries}
            files |= read[manifest.manifest_path]
    return files


def _delete(io: FileIO, path: str) -> None:
    try:
        io.delete(path)
    except FileNotFoundError:
        return
