"""Reading the lake some rows at a time."""

import datetime as dt
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from appraiser_schema import Split
from appraiser_store import Lake, RowsError, SnapshotError, Table


def clean(count: int) -> pl.DataFrame:
    """Clean listings, the splits in turn."""
    numbers = list(range(1, count + 1))
    return pl.DataFrame(
        {
            "row_number": pl.Series(numbers, dtype=pl.UInt32),
            "row_hash": pl.Series(numbers, dtype=pl.Int64),
            "split": [list(Split)[row % 3].value for row in numbers],
            "brokered_by": pl.Series([None] * count, dtype=pl.String),
            "status": "for_sale",
            "price": [300_000.0 + row for row in numbers],
            "bed": [None if row % 5 else 3.0 for row in numbers],
            "bath": pl.Series([None] * count, dtype=pl.Float64),
            "acre_lot": 0.38,
            "street": "1",
            "city": [f"Town {row % 7}" for row in numbers],
            "state": "Connecticut",
            "zip_code": "06016",
            "house_size": 900.0,
            "prev_sold_date": dt.date(1999, 9, 30),
        }
    )


@pytest.fixture
def filled(lake: Lake) -> Lake:
    """Batches 2, 0 and 1, in that order."""
    for number, rows in ((2, 50), (0, 30), (1, 7)):
        lake.replace_batch(Table.CLEAN, number, clean(rows))
    return lake


class TestReadBatches:
    """The same rows as `read`, in the same order."""

    @pytest.mark.parametrize("rows", [1, 8, 1000])
    def test_same(self, filled: Lake, rows: int) -> None:
        """Whatever the number of rows that are read at once."""
        frames = list(filled.read_batches(Table.CLEAN, rows=rows))
        assert max(frame.height for frame in frames) <= rows
        assert_frame_equal(pl.concat(frames), filled.read(Table.CLEAN))

    def test_narrowed(self, filled: Lake) -> None:
        """Columns, batches, split and snapshot narrow them as they narrow `read`."""
        before = filled.snapshot_id(Table.CLEAN)
        filled.replace_batch(Table.CLEAN, 2, clean(3))
        frames = filled.read_batches(
            Table.CLEAN, columns=["price", "city"], batches=[2, 0], split=Split.TRAIN, snapshot_id=before, rows=9
        )
        expected = filled.read(
            Table.CLEAN, columns=["price", "city"], batches=[2, 0], split=Split.TRAIN, snapshot_id=before
        )
        assert expected.height == 26
        assert_frame_equal(pl.concat(frames), expected)

    def test_nothing(self, filled: Lake) -> None:
        """No batches are no frames."""
        assert list(filled.read_batches(Table.CLEAN, batches=[9])) == []

    def test_out_of_order(self, filled: Lake) -> None:
        """A file whose rows another engine wrote in another order comes in order."""
        for path in (Path(filled.root) / "warehouse").rglob("*batch_number=0/*.parquet"):
            table = pq.read_table(path, partitioning=None)
            pq.write_table(table.take(list(range(29, -1, -1))), path)
        frames = pl.concat(filled.read_batches(Table.CLEAN, columns=["row_number"], batches=[0], rows=4))
        assert frames["row_number"].to_list() == list(range(1, 31))

    def test_refused(self, filled: Lake) -> None:
        """Unknown columns and snapshots are refused at once, before the first row is read."""
        with pytest.raises(RowsError, match="no column 'colour'"):
            filled.read_batches(Table.CLEAN, columns=["colour"])
        with pytest.raises(SnapshotError, match="has no snapshot 1"):
            filled.read_batches(Table.CLEAN, snapshot_id=1)
