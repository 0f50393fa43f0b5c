"""What became of a batch, read from the ledger, in words."""

from appraiser_cli.tables import count
from appraiser_schema import Batch, BatchStatus, DecisionKind
from appraiser_store import Ledger


def last_batch(ledger: Ledger) -> int | None:
    """Number of the batch that the latest run that fetched one works on; None where none ever came.

    A run takes the batch that is due or goes on with the last one, so it is always the last.
    """
    batch = ledger.last_batch()
    return batch.batch_number if batch else None


def was_stopped(ledger: Ledger) -> bool:
    """Whether the last batch was refused as unfit, which is a decision about data and no fault of the system."""
    batch = ledger.last_batch()
    return batch is not None and batch.status is BatchStatus.STOPPED


def told(ledger: Ledger, batch_number: int) -> tuple[str, ...]:
    """What became of a batch, for a person; empty where the ledger does not know it."""
    batch = ledger.batch(batch_number)
    return _lines(ledger, batch) if batch else ()


def _lines(ledger: Ledger, batch: Batch) -> tuple[str, ...]:
    if batch.status is BatchStatus.STOPPED:
        return (f"{count(batch.rows_received)} rows received; stopped: {batch.stop_reason}",)
    rows = (
        f"{count(batch.rows_received)} rows received, {count(batch.rows_quarantined)} in quarantine, "
        f"{count(batch.rows_duplicate)} repeated; {count(batch.rows_train)} to train, "
        f"{count(batch.rows_validation)} to validate, {count(batch.rows_test)} to test"
    )
    decisions = (ledger.decision(batch.batch_number, kind) for kind in (DecisionKind.TRAINING, DecisionKind.PROMOTION))
    return (rows, *(f"{decision.outcome.value}: {decision.summary}" for decision in decisions if decision))
