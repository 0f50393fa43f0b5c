"""What came from the source, and how far it got."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client.metrics_core import Metric

from appraiser_pipeline.metrics.families import gauge, labelled
from appraiser_pipeline.standing import carrying_out, stands
from appraiser_schema import (
    AliasMove,
    Batch,
    BatchStatus,
    Decision,
    DecisionKind,
    Fetch,
    FetchOutcome,
    Outcome,
    utc_now,
)

ROWS: Final = ("received", "quarantined", "duplicate", "train", "validation", "test")


def of_batches(batches: Sequence[Batch]) -> Iterator[Metric]:
    """Batches by status, their rows, and the newest batch.

    Args:
        batches: By number.
    """
    by_status = Counter(batch.status for batch in batches)
    statuses = (((status.value,), by_status[status]) for status in BatchStatus)
    yield labelled("batches", "Batches by how far they came.", ("status",), statuses)
    rows = (((name,), sum(getattr(batch, f"rows_{name}") or 0 for batch in batches)) for name in ROWS)
    yield labelled("rows", "Rows of all batches by what became of them.", ("kind",), rows)
    if batches:
        yield from _of_newest(batches[-1])


def _of_newest(batch: Batch) -> Iterator[Metric]:
    yield gauge("last_batch_number", "Number of the newest batch.", batch.batch_number)
    received = "When the newest batch landed, seconds since 1970."
    yield gauge("last_batch_received_timestamp_seconds", received, batch.received_at.timestamp())
    yield gauge("last_batch_rows", "Rows of the newest batch; 0 until they were counted.", batch.rows_received or 0)
    stopped = batch.status is BatchStatus.STOPPED
    yield gauge("last_batch_stopped", "1 where the newest batch was stopped as unfit for use.", stopped)
    if batch.rows_received and batch.rows_quarantined is not None:
        text = "Rows of the newest batch that were refused, as a share of it."
        yield gauge("last_batch_quarantine_ratio", text, batch.rows_quarantined / batch.rows_received)


def of_ends(batches: Sequence[Batch], decisions: Sequence[Decision], moves: Sequence[AliasMove]) -> Iterator[Metric]:
    """Batches that have not come to their end, which is a decision that was carried out, and when one last did."""
    made = {(d.batch_number, d.kind): d for d in decisions if stands(d, dry_run=False)}
    ends: list[dt.datetime] = []
    waiting: list[dt.datetime] = []
    for batch in batches:
        if batch.status is BatchStatus.STOPPED:
            continue
        training, promotion = (made.get((batch.batch_number, kind)) for kind in DecisionKind)
        end = _end(training, promotion, moves)
        (ends if end else waiting).append(end or batch.received_at)
    yield gauge("unfinished_batches", "Batches that landed and have not come to their end.", len(waiting))
    age = (utc_now() - min(waiting)).total_seconds() if waiting else 0.0
    yield gauge("unfinished_age_seconds", "How long ago the oldest of them landed; 0 where there is none. [s]", age)
    if ends:
        text = "When a batch last came to its end, seconds since 1970."
        yield gauge("last_success_timestamp_seconds", text, max(ends).timestamp())


def _end(training: Decision | None, promotion: Decision | None, moves: Sequence[AliasMove]) -> dt.datetime | None:
    if training is not None and training.outcome is Outcome.SKIP:
        return training.decided_at
    move = None if promotion is None else carrying_out(promotion, moves)
    return None if move is None else move.at


def of_fetches(fetches: Sequence[Fetch]) -> Iterator[Metric]:
    """Questions by how they ended, and the last one.

    Args:
        fetches: In the order in which they were begun.
    """
    counted = Counter(fetch.outcome for fetch in fetches)
    outcomes = (((outcome.value,), counted[outcome]) for outcome in FetchOutcome)
    yield labelled("fetches", "Questions for a batch by how they ended.", ("outcome",), outcomes)
    if fetches:
        last = fetches[-1]
        text = "When the source was asked last, seconds since 1970."
        yield gauge("last_fetch_timestamp_seconds", text, last.at.timestamp())
        exhausted = last.outcome is FetchOutcome.EXHAUSTED
        yield gauge("source_exhausted", "1 where the source said last that it has no more.", exhausted)
