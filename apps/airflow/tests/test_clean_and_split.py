"""What becomes of raw listings."""

import pytest
from pipeline_stand import Land, rows

from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError, StoppedBatchError
from appraiser_pipeline.steps.clean_and_split import clean_and_split
from appraiser_pipeline.steps.validate import validate
from appraiser_schema import BatchStatus
from appraiser_store import Table


class TestCleanAndSplit:
    """Listings as they are kept."""

    def test_counts(self, context: Context, land: Land) -> None:
        """Every row of a batch is counted once: to train, validate or test, in quarantine, or as a repeat."""
        listings = [*rows(100), *rows(10), *rows(5, price=1.0)]
        land(0, listings)
        validate(context, 0)
        batch = clean_and_split(context, 0)
        kept = (batch.rows_train or 0) + (batch.rows_validation or 0) + (batch.rows_test or 0)
        assert (kept, batch.rows_duplicate, batch.rows_quarantined) == (100, 10, 5)
        assert context.lake.batch_rows(Table.CLEAN) == {0: 100}

    def test_quarantine(self, context: Context, land: Land) -> None:
        """What validation refused stays beside what is refused here."""
        listings = rows(20)
        listings[3] |= {"status": "gone"}
        listings[8] |= {"price": 1.0}
        land(0, listings)
        validate(context, 0)
        assert clean_and_split(context, 0).rows_quarantined == 2
        frame = context.lake.read(Table.QUARANTINE)
        assert frame["stage"].to_list() == ["raw", "clean"]
        assert frame["rule"].to_list()[1] == "at least 10000.0"

    def test_zip_code(self, context: Context, land: Land) -> None:
        """A zip code has its five digits back."""
        land(0, rows(3))
        validate(context, 0)
        clean_and_split(context, 0)
        assert context.lake.read(Table.CLEAN)["zip_code"].unique().to_list() == ["06016"]

    def test_repeat_of_an_earlier_batch(self, context: Context, land: Land) -> None:
        """A listing that came before is not kept twice: it would stand in train and count double."""
        for number, listings in enumerate((rows(40), [*rows(40)[:15], *rows(30, bed=9.0)])):
            land(number, listings)
            validate(context, number)
            clean_and_split(context, number)
        assert context.lake.batch_rows(Table.CLEAN) == {0: 40, 1: 30}
        batch = context.ledger.batch(1)
        assert batch is not None
        assert batch.rows_duplicate == 15

    def test_same_split(self, context: Context, land: Land) -> None:
        """A row has the same split in another batch and at another place."""
        splits = []
        for number, listings in enumerate((rows(60), rows(60)[::-1])):
            land(number, listings)
            validate(context, number)
            context.lake.replace_batch(Table.CLEAN, 0, context.lake.read(Table.CLEAN).clear())
            clean_and_split(context, number)
            clean = context.lake.read(Table.CLEAN, batches=[number])
            splits.append(dict(zip(clean["row_hash"], clean["split"], strict=True)))
        assert splits[0] == splits[1]

    def test_again(self, context: Context, land: Land) -> None:
        """A second call changes nothing."""
        land(0, rows(30))
        validate(context, 0)
        first = clean_and_split(context, 0)
        assert clean_and_split(context, 0) == first
        assert context.lake.snapshot_id(Table.CLEAN) == first.clean_snapshot_id

    def test_interrupted(self, context: Context, land: Land) -> None:
        """Ended after the tables were written and before the ledger was, it gives the same when it is run again."""
        land(0, [*rows(30), *rows(5, price=1.0)])
        validated = validate(context, 0)
        first = clean_and_split(context, 0)
        before = context.lake.read(Table.CLEAN)
        context.ledger.save_batch(validated)
        assert clean_and_split(context, 0) == first
        assert context.lake.read(Table.CLEAN).equals(before)

    def test_nothing_left(self, context: Context, land: Land) -> None:
        """A batch of repeats only is cleaned, with no rows."""
        for number in range(2):
            land(number, rows(30))
            validate(context, number)
            batch = clean_and_split(context, number)
        assert (batch.status, batch.rows_duplicate, batch.rows_train) == (BatchStatus.CLEANED, 30, 0)

    def test_order(self, context: Context, land: Land) -> None:
        """It does not work on a batch that was not validated, nor on one that was stopped."""
        land(0, rows(10, status="gone"))
        with pytest.raises(OrderError, match="Run the step validate"):
            clean_and_split(context, 0)
        with pytest.raises(StoppedBatchError):
            validate(context, 0)
        with pytest.raises(StoppedBatchError):
            clean_and_split(context, 0)
