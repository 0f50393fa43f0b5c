"""What became of a batch, read from the ledger, in words."""

from dataclasses import dataclass

from appraiser_cli.tables import count
from appraiser_schema import Batch, BatchStatus, DecisionKind, FetchOutcome
from appraiser_store import Ledger


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What one run of the pipeline did.

    Attributes:
        outcome: How the question for the next batch ended; None where none was asked.
        batch_number: The batch that came, if one did.
        lines: What became of it, for a person.
    """

    outcome: FetchOutcome | None
    batch_number: int | None
    lines: tuple[str, ...]

    @property
    def is_new(self) -> bool:
        """Whether a batch came that was not known before."""
        return self.outcome in (FetchOutcome.NEW, FetchOutcome.GAP_REPAIRED)

    @property
    def is_end(self) -> bool:
        """Whether the source has no further batch."""
        return self.outcome is FetchOutcome.EXHAUSTED


def latest(ledger: Ledger) -> BatchReport:
    """What the latest fetch brought, and what has become of it."""
    fetches = ledger.fetches()
    if not fetches:
        return BatchReport(None, None, ())
    fetch = fetches[-1]
    batch = ledger.batch(fetch.batch_number) if fetch.batch_number is not None else None
    lines = _lines(ledger, batch) if batch else (fetch.detail,)
    return BatchReport(fetch.outcome, fetch.batch_number, lines)


def was_stopped(ledger: Ledger) -> bool:
    """Whether the latest batch was refused as unfit, which is a decision about data and no fault of the system."""
    report = latest(ledger)
    batch = ledger.batch(report.batch_number) if report.batch_number is not None else None
    return batch is not None and batch.status is BatchStatus.STOPPED


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
