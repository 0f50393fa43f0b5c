"""Land the next batch, byte for byte, before anything looks at it."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from appraiser_pipeline.body import BodyError, Head, read_head
from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import LostBatchError, OtherLakeError, OtherSourceError, ReplayError
from appraiser_pipeline.source import SourceIdentity
from appraiser_pipeline.standing import carrying_out, stands
from appraiser_schema import Batch, BatchStatus, DecisionKind, Fetch, FetchOutcome, Outcome, utc_now
from appraiser_store import Landed, SnapshotError, Table

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Fetched:
    """How the question for the next batch ended: with the batch that was due, or with the end of the source.

    Attributes:
        outcome: What the answer was.
        batch_number: Which batch is to be worked on; None where the source is exhausted.
        resumed: Whether that batch had landed before and was not brought to its end; nothing was asked then.
    """

    outcome: FetchOutcome
    batch_number: int | None
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class _Arrival:
    fetch_id: int
    landed: Landed
    head: Head


def fetch_batch(context: Context) -> Fetched:
    """Ask until the batch that is due has landed, or the source is exhausted.

    The oldest batch that was interrupted before its last decision was carried out, or of which a dry run only told
    what it would be, comes first. Batches that were landed before
    are passed over. A batch that comes too early shows that one was missed, and so does the end of the source after a
    lost answer: then the source is restarted once and replayed up to the batch that is due.

    Raises:
        OtherSourceError: The ledger holds batches of another source.
        OtherLakeError: The lake does not hold what the ledger says was ingested; nothing was asked then.
        LostBatchError: The answer did not arrive whole; the next call repairs it.
        ReplayError: The source brings other bytes than before, or not the batch that is due.
    """
    identity = _same_source(context)
    _check_lake(context)
    if (unfinished := _first_unfinished(context)) is not None:
        return Fetched(FetchOutcome.SEEN, unfinished, resumed=True)
    last = context.ledger.last_batch()
    due = last.batch_number + 1 if last else 0
    may_have_missed = _may_have_missed(context.ledger.fetches())
    replayed = False
    while True:
        arrival = _ask(context, end_is_sure=replayed or not may_have_missed)
        if arrival is None and (replayed or not may_have_missed):
            return Fetched(FetchOutcome.EXHAUSTED, None)
        if arrival is not None and arrival.head.batch_number == due:
            return _take(context, arrival, identity, replayed=replayed)
        if arrival is not None and arrival.head.batch_number < due:
            _pass_over(context, arrival)
            continue
        if replayed:
            raise ReplayError(due, "a replay from the first batch did not bring it")
        if arrival is not None:
            _keep_for_later(context, arrival, due)
        log.info("replay", due=due)
        context.source.restart()
        replayed = True


def _may_have_missed(fetches: Sequence[Fetch]) -> bool:
    """Whether a question since the last good answer was lost, or was answered by a batch that came too early."""
    for fetch in reversed(fetches):
        if fetch.outcome in {FetchOutcome.LOST, FetchOutcome.AHEAD}:
            return True
        if fetch.outcome is not FetchOutcome.SEEN:
            return False
    return False


def _first_unfinished(context: Context) -> int | None:
    """Number of the oldest batch that is not at its end; after several dry runs that may be many."""
    ledger, dry_run = context.ledger, context.settings.dry_run
    made = {(d.batch_number, d.kind): d for d in ledger.decisions() if stands(d, dry_run=dry_run)}
    moves = ledger.moves()
    for batch in ledger.batches():
        if batch.status in {BatchStatus.LANDED, BatchStatus.VALIDATED}:
            return batch.batch_number  # Also one with decisions: it was taken again, and that was cut off.
        training, promotion = (made.get((batch.batch_number, kind)) for kind in DecisionKind)
        if batch.status is BatchStatus.STOPPED or (training is not None and training.outcome is Outcome.SKIP):
            continue
        if promotion is None or not (dry_run or carrying_out(promotion, moves)):
            return batch.batch_number
    return None


def _same_source(context: Context) -> SourceIdentity:
    identity = context.source.identity()
    last = context.ledger.last_batch()
    if last and last.source != identity.name:
        raise OtherSourceError(context.source.url, identity.name, last.source)
    return identity


def _check_lake(context: Context) -> None:
    """Refuse a ledger beside another lake, as there is after a new folder was named for the lake alone."""
    batch = next((b for b in reversed(context.ledger.batches()) if b.clean_snapshot_id is not None), None)
    if batch is None or batch.clean_snapshot_id is None:
        return
    try:
        context.lake.batch_rows(Table.CLEAN, batch.clean_snapshot_id)
    except SnapshotError:
        lake = str(context.settings.lake)
        raise OtherLakeError(lake, batch.batch_number, batch.clean_snapshot_id) from None


def _ask(context: Context, *, end_is_sure: bool) -> _Arrival | None:
    """Ask once. What was asked stands in the ledger as lost until the answer has landed.

    An end that is not sure, because a batch may have been missed, leaves it lost: were it recorded as the end and the
    replay cut off, nobody would replay again.
    """
    fetch_id = context.ledger.begin_fetch(utc_now())
    with context.source.next_batch() as chunks:
        if chunks is None:
            if end_is_sure:
                _finish(context, fetch_id, FetchOutcome.EXHAUSTED, "The source has no further batch.")
            else:
                _finish(
                    context, fetch_id, FetchOutcome.LOST, "The end came after a lost answer; the source is replayed."
                )
            return None
        landed = context.landing.land(chunks)
    try:
        with context.landing.path(landed.path).open("rb") as body:
            head = read_head(body)
    except BodyError as error:
        raise LostBatchError(context.source.url, f"{error}; it is kept as {landed.path}") from None
    log.info("landed", batch=head.batch_number, bytes=landed.size_bytes, digest=landed.digest[:12])
    return _Arrival(fetch_id, landed, head)


def _take(context: Context, arrival: _Arrival, identity: SourceIdentity, *, replayed: bool) -> Fetched:
    head, landed = arrival.head, arrival.landed
    context.ledger.save_batch(
        Batch(
            source=identity.name,
            group_number=head.group_number,
            day=head.day,
            batch_number=head.batch_number,
            digest=landed.digest,
            size_bytes=landed.size_bytes,
            received_at=utc_now(),
            simulated=identity.simulated,
            landing_path=landed.path,
        )
    )
    outcome = FetchOutcome.GAP_REPAIRED if replayed else FetchOutcome.NEW
    how = "It had been missed; a replay brought it." if replayed else "The batch that was due."
    _finish(context, arrival.fetch_id, outcome, how, arrival)
    return Fetched(outcome, head.batch_number)


def _pass_over(context: Context, arrival: _Arrival) -> None:
    number, digest = arrival.head.batch_number, arrival.landed.digest
    known = context.ledger.batch(number)
    if known is not None and known.digest != digest:
        raise ReplayError(number, f"it came with digest {digest[:12]}, and was landed with {known.digest[:12]}")
    _finish(context, arrival.fetch_id, FetchOutcome.SEEN, "It was landed before; nothing changed.", arrival)


def _keep_for_later(context: Context, arrival: _Arrival, due: int) -> None:
    detail = f"Batch {due} was due, so it was missed; the source is replayed."
    _finish(context, arrival.fetch_id, FetchOutcome.AHEAD, detail, arrival)


def _finish(
    context: Context, fetch_id: int, outcome: FetchOutcome, detail: str, arrival: _Arrival | None = None
) -> None:
    number = arrival.head.batch_number if arrival else None
    digest = arrival.landed.digest if arrival else None
    fetch = Fetch(at=utc_now(), outcome=outcome, batch_number=number, digest=digest, detail=detail)
    context.ledger.finish_fetch(fetch_id, fetch)
