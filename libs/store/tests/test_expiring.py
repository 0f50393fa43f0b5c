"""Snapshots that are expired, with the files that only they needed."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from tiny_champion import build_market

from appraiser_schema import Prediction
from appraiser_store import Lake, Ledger, SnapshotError, Table
from appraiser_store.expiring import expirable, expire, predictions_before

LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)


def market(seed: int) -> pl.DataFrame:
    """Clean listings."""
    return build_market(40, seed=seed).drop("batch_number")


def parquet(lake: Lake) -> set[Path]:
    """Files of rows below the lake's folder."""
    return set((lake.root / "warehouse").rglob("*.parquet"))


@pytest.fixture
def history(lake: Lake) -> list[int]:
    """Batch 0, batch 1, then batch 0 with other rows: snapshot ids in that order."""
    return [lake.replace_batch(Table.CLEAN, number, market(seed)) for number, seed in ((0, 0), (1, 1), (0, 2))]


class TestExpire:
    """`expire`."""

    def test_named_stay(self, lake: Lake, history: list[int]) -> None:
        """What is kept gives the same rows as before; what is not kept is gone, with the files of its own."""
        first, second, third = history
        rows = [lake.read(Table.CLEAN, snapshot_id=second), lake.read(Table.CLEAN)]
        before = parquet(lake)
        found = expire(lake, Table.CLEAN, {second}, LATER)
        assert first in found.snapshots
        assert not {second, third} & set(found.snapshots)
        assert lake.read(Table.CLEAN, snapshot_id=second).equals(rows[0])
        assert lake.read(Table.CLEAN).equals(rows[1])
        with pytest.raises(SnapshotError):
            lake.read(Table.CLEAN, snapshot_id=first)
        # Of rows none is gone: the batch's first rows are those of the second snapshot too.
        assert parquet(lake) == before
        assert not any(Path(path.removeprefix("file://")).exists() for path in found.files)

    def test_rows_that_nobody_needs(self, lake: Lake, history: list[int]) -> None:
        """Rows that were replaced go with the last snapshot that had them, and their room is told."""
        before = parquet(lake)
        told = expirable(lake, Table.CLEAN, set(), LATER)
        found = expire(lake, Table.CLEAN, set(), LATER)
        assert told == found
        [gone] = before - parquet(lake)
        assert sum(found.files.values()) > 0
        assert any(path.endswith(gone.name) for path in found.files)
        assert lake.snapshot_id(Table.CLEAN) == history[2]
        assert lake.batch_rows(Table.CLEAN) == {0: 40, 1: 40}

    def test_young_stay(self, lake: Lake, history: list[int]) -> None:
        """Young ones stay, named or not."""
        found = expire(lake, Table.CLEAN, set(), dt.datetime.now(dt.UTC) - dt.timedelta(days=1))
        assert (found.snapshots, found.files) == ((), {})
        assert lake.read(Table.CLEAN, snapshot_id=history[0]).height == 40

    def test_same_rows_after(self, lake: Lake, history: list[int]) -> None:
        """The same rows once more change nothing also where the snapshots before them are expired."""
        expire(lake, Table.CLEAN, {history[1]}, LATER)
        assert lake.replace_batch(Table.CLEAN, 1, market(1)) == history[1]
        assert lake.replace_batch(Table.CLEAN, 0, market(2)) == history[2]
        assert lake.snapshot_id(Table.CLEAN) == history[2]

    def test_twice(self, lake: Lake, history: list[int]) -> None:
        """Once is enough, and an empty table has nothing."""
        assert expire(lake, Table.CLEAN, set(), LATER).snapshots
        assert expire(lake, Table.CLEAN, set(), LATER).snapshots == ()
        assert expire(lake, Table.QUARANTINE, set(), LATER).kept == 0
        assert lake.snapshot_id(Table.CLEAN) == history[2]


def test_predictions_before(ledger: Ledger) -> None:
    """Counts what would be forgotten, no more and no less."""
    noon = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
    ledger.save_predictions(
        Prediction(
            request_id=str(hours), at=noon + dt.timedelta(hours=hours), listing={}, features_fingerprint="f",
            price_usd=1.0, model_name="m", model_version=1, latency_seconds=0.1,
        )
        for hours in (-2, -1, 0, 1)
    )  # fmt: skip
    assert predictions_before(ledger, noon) == 2
    assert ledger.delete_predictions_before(noon) == 2
    assert predictions_before(ledger, noon) == 0
