"""What the package offers, and what it costs to import."""

import subprocess
import sys

import pytest

import appraiser_store

HEAVY = ("polars", "pandera", "pyarrow", "pyiceberg", "numpy")


def loaded_after(statement: str) -> set[str]:
    """Heavy libraries that a fresh interpreter has loaded after a statement."""
    code = f"import sys\n{statement}\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


class TestPublicNames:
    """The facade."""

    def test_pinned(self) -> None:
        """These names are public; taking one away breaks those who use the library."""
        assert set(appraiser_store.__all__) == {
            "ForeignLakeError", "ForeignLedgerError", "Lake", "LakeError", "LakeSchemaError", "Landed", "Landing",
            "LandingError", "Ledger", "LedgerError", "LedgerSchemaError", "LedgerVersionError", "PredictionRow",
            "RefusedPredictionError", "RemoteTables",
            "HistoryError", "InstantError", "NoChampionThenError", "lineage", "model_lineage", "parse_instant",
            "previous_champion", "reign_at", "reigns", "RowsError", "SnapshotError",
            "StoreError", "Table", "UnknownBatchError", "UnknownFetchError", "UnknownPredictionError", "lake_schema",
        }  # fmt: skip

    @pytest.mark.parametrize("name", appraiser_store.__all__)
    def test_there(self, name: str) -> None:
        """Every public name can be had."""
        assert getattr(appraiser_store, name)

    def test_unknown_name(self) -> None:
        """Another name is an attribute error, as in any module."""
        with pytest.raises(AttributeError, match="no attribute 'Lagoon'"):
            _ = appraiser_store.Lagoon


class TestCost:
    """What using one half of the library loads."""

    def test_ledger_is_light(self) -> None:
        """Who uses the ledger and the landing area loads no tables."""
        statement = "from appraiser_store import Ledger, Landing, Table; Ledger; Landing; Table.CLEAN"
        assert loaded_after(statement) == set()

    def test_lake_is_loaded_when_asked_for(self) -> None:
        """What belongs to tables brings their libraries at the first use: the test above can fail."""
        assert loaded_after("from appraiser_store import lake_schema") == {"polars", "numpy"}
