"""What the system is doing until the first model is in service, in words."""

from collections.abc import Sequence

from appraiser_schema import Batch, BatchStatus, Decision, DecisionKind, Outcome
from appraiser_ui.figures import count
from appraiser_ui.reasons import decision_in_words
from appraiser_ui.words import say


def progress(batches: Sequence[Batch], decisions: Sequence[Decision]) -> str:
    """One or two sentences on where the newest batch is.

    Args:
        batches: Newest first.
        decisions: Newest first.
    """
    if not batches:
        return say("appraise.progress.nothing")
    batch = batches[0]
    made = {decision.kind: decision for decision in decisions if decision.batch_number == batch.batch_number}
    return f"{_arrival(batch)} {_next(batch, made.get(DecisionKind.TRAINING), made.get(DecisionKind.PROMOTION))}"


def _arrival(batch: Batch) -> str:
    known = {"number": batch.batch_number, "source": batch.source}
    if batch.rows_received is None:
        return say("appraise.progress.arrived", **known)
    return say("appraise.progress.arrived_rows", count=batch.rows_received, **known)


def _next(batch: Batch, training: Decision | None, promotion: Decision | None) -> str:
    match batch.status:
        case BatchStatus.STOPPED:
            return say("appraise.progress.stopped", reason=batch.stop_reason or say("appraise.progress.no_reason"))
        case BatchStatus.LANDED:
            return say("appraise.progress.landed")
        case BatchStatus.VALIDATED:
            return say("appraise.progress.validated")
        case _:
            return _promoted(promotion) if promotion else _trained(batch, training)


def _trained(batch: Batch, training: Decision | None) -> str:
    if training is None:
        return say("appraise.progress.deciding")
    if training.outcome is Outcome.SKIP:
        return say("appraise.progress.skipped", summary=decision_in_words(training))
    return say("appraise.progress.training", train=count(batch.rows_train), test=count(batch.rows_test))


def _promoted(promotion: Decision) -> str:
    version = promotion.model_version
    if promotion.outcome is Outcome.PROMOTE:
        return say("appraise.progress.promoted", version=version)
    return say("appraise.progress.rejected", version=version, summary=decision_in_words(promotion))
