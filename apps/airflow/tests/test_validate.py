"""Which rows and which batches are let through."""

import polars as pl
import pytest
from pipeline_stand import Land, rows

from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError, StoppedBatchError
from appraiser_pipeline.steps.validate import validate
from appraiser_schema import Batch, BatchStatus
from appraiser_store import Table


def quarantine(context: Context) -> list[tuple[int, str, str, str]]:
    """Row number, column, rule and value of what was refused."""
    frame = context.lake.read(Table.QUARANTINE)
    return [tuple(row) for row in frame.select("row_number", "column", "rule", "value").iter_rows()]  # type: ignore[misc]


class TestRows:
    """One bad row does not hold up the others."""

    def test_counts(self, context: Context, land: Land) -> None:
        """Good rows are in raw.listings, bad ones in quarantine with row, column, rule and value."""
        listings = rows(20)
        listings[4] |= {"status": "under_water"}
        listings[6] |= {"bed": "three"}
        land(0, listings)
        batch = validate(context, 0)
        assert (batch.status, batch.rows_received, batch.rows_quarantined) == (BatchStatus.VALIDATED, 20, 2)
        assert context.lake.batch_rows(Table.RAW) == {0: 18}
        assert quarantine(context) == [
            (5, "status", "one of for_sale, sold, ready_to_build", "under_water"),
            (7, "bed", "a number", "three"),
        ]

    def test_two_faults(self, context: Context, land: Land) -> None:
        """A row with two faults is one row in the count and two lines in quarantine."""
        listings = rows(20)
        listings[0] |= {"status": "no", "state": "Texass"}
        land(0, listings)
        assert validate(context, 0).rows_quarantined == 1
        assert len(quarantine(context)) == 2

    def test_future_sale(self, context: Context, land: Land) -> None:
        """A last sale after the day on which the batch was received is impossible."""
        listings = rows(20)
        listings[2] |= {"prev_sold_date": "2113-03-01"}
        land(0, listings)
        validate(context, 0)
        assert quarantine(context) == [
            (3, "prev_sold_date", "not after the day the batch was received, 2026-11-01", "2113-03-01")
        ]

    def test_again(self, context: Context, land: Land) -> None:
        """A second call changes nothing."""
        land(0, rows(20))
        first = validate(context, 0)
        snapshot = context.lake.snapshot_id(Table.RAW)
        assert validate(context, 0) == first
        assert context.lake.snapshot_id(Table.RAW) == snapshot


class TestBatches:
    """A batch that is not fit for use."""

    @pytest.mark.parametrize(
        ("listings", "words"),
        [
            (rows(10, status="gone"), r"10 of 10 rows are no listings, more than 20%: status must be one of"),
            ([], "it has no rows"),
            (rows(10, pool=1.0), "unexpected column.*'pool'"),
            ([{k: v for k, v in row.items() if k != "price"} for row in rows(10)], "lacks the column.*'price'"),
        ],
    )
    def test_stopped(self, context: Context, land: Land, listings: list[dict[str, object]], words: str) -> None:
        """It is stopped with its reason, and neither raw nor clean listings change."""
        land(0, listings)
        with pytest.raises(StoppedBatchError, match=words):
            validate(context, 0)
        batch = context.ledger.batch(0)
        assert isinstance(batch, Batch)
        assert batch.status is BatchStatus.STOPPED
        assert context.lake.snapshot_id(Table.RAW) is None
        assert context.lake.snapshot_id(Table.CLEAN) is None

    def test_report(self, context: Context, land: Land) -> None:
        """Why each row of a stopped batch was refused can be read in quarantine."""
        land(0, rows(10, status="gone"))
        with pytest.raises(StoppedBatchError):
            validate(context, 0)
        assert context.lake.read(Table.QUARANTINE)["value"].to_list() == ["gone"] * 10

    def test_stays_stopped(self, context: Context, land: Land) -> None:
        """Called again it says the same."""
        land(0, rows(10, pool=1.0))
        for _ in range(2):
            with pytest.raises(StoppedBatchError, match="'pool'"):
                validate(context, 0)

    def test_never_landed(self, context: Context) -> None:
        """A batch that was never landed is named, with the step that comes first."""
        with pytest.raises(OrderError, match=r"validate of batch 3 has no landed batch.*fetch_batch"):
            validate(context, 3)

    def test_row_numbers(self, context: Context, land: Land) -> None:
        """Row numbers count from 1 in the order of the body."""
        land(0, rows(3))
        validate(context, 0)
        assert context.lake.read(Table.RAW)["row_number"].to_list() == [1, 2, 3]
        assert context.lake.read(Table.RAW)["price"].equals(pl.Series([200_000.0, 200_100.0, 200_200.0]))
