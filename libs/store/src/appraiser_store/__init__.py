"""The lake and the ledger."""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

from appraiser_store.errors import (
    ForeignLakeError,
    ForeignLedgerError,
    HistoryError,
    InstantError,
    LakeError,
    LakeSchemaError,
    LandingError,
    LedgerError,
    LedgerSchemaError,
    LedgerVersionError,
    NoChampionThenError,
    RefusedPredictionError,
    RowsError,
    SnapshotError,
    StoreError,
    UnknownBatchError,
    UnknownFetchError,
    UnknownPredictionError,
)
from appraiser_store.history import parse_instant, previous_champion, reign_at, reigns
from appraiser_store.landing import Landed, Landing
from appraiser_store.ledger import Ledger
from appraiser_store.lineage import lineage, model_lineage
from appraiser_store.predictions import PredictionRow
from appraiser_store.tables import Table

if TYPE_CHECKING:
    from appraiser_store.catalog import RemoteTables
    from appraiser_store.columns import lake_schema
    from appraiser_store.lake import Lake

__version__ = version("appraiser-store")

__all__ = [  # noqa: RUF022 - grouped by what they are
    # bytes as received
    "Landing",
    "Landed",
    # listings by batch
    "Lake",
    "RemoteTables",
    "Table",
    "lake_schema",
    # what is remembered
    "Ledger",
    "PredictionRow",
    # what follows from it
    "reigns",
    "reign_at",
    "previous_champion",
    "parse_instant",
    "model_lineage",
    "lineage",
    # errors
    "StoreError",
    "LandingError",
    "LakeError",
    "ForeignLakeError",
    "LakeSchemaError",
    "RowsError",
    "SnapshotError",
    "HistoryError",
    "InstantError",
    "NoChampionThenError",
    "LedgerError",
    "ForeignLedgerError",
    "LedgerSchemaError",
    "LedgerVersionError",
    "UnknownBatchError",
    "UnknownFetchError",
    "UnknownPredictionError",
    "RefusedPredictionError",
]

_LATE = {
    "Lake": "appraiser_store.lake",
    "RemoteTables": "appraiser_store.catalog",
    "lake_schema": "appraiser_store.columns",
}
"""Names that bring Iceberg, Arrow and polars with them: who uses the ledger alone does without, and starts faster."""


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)
