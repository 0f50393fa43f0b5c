"""What the system is doing until the first model is in service, in words."""

from collections.abc import Sequence
from typing import Final

from appraiser_schema import Batch, BatchStatus, Decision, DecisionKind, Outcome
from appraiser_ui.figures import count

_PREPARING: Final = {
    BatchStatus.LANDED: "Its rows are being checked.",
    BatchStatus.VALIDATED: "Its rows have been checked; they are being cleaned and split.",
}


def progress(batches: Sequence[Batch], decisions: Sequence[Decision]) -> str:
    """One or two sentences on where the newest batch is.

    Args:
        batches: Newest first.
        decisions: Newest first.
    """
    if not batches:
        return "The first batch of listings has not arrived yet."
    batch = batches[0]
    made = {decision.kind: decision for decision in decisions if decision.batch_number == batch.batch_number}
    return f"{_arrival(batch)} {_next(batch, made.get(DecisionKind.TRAINING), made.get(DecisionKind.PROMOTION))}"


def _arrival(batch: Batch) -> str:
    rows = f"with {count(batch.rows_received)} listings " if batch.rows_received is not None else ""
    return f"Batch {batch.batch_number} has arrived {rows}from {batch.source}."


def _next(batch: Batch, training: Decision | None, promotion: Decision | None) -> str:
    if batch.status is BatchStatus.STOPPED:
        return f"It was stopped: {batch.stop_reason or 'no reason is given.'}"
    if batch.status is not BatchStatus.CLEANED:
        return _PREPARING[batch.status]
    return _promoted(promotion) if promotion else _trained(batch, training)


def _trained(batch: Batch, training: Decision | None) -> str:
    if training is None:
        return "It is being decided whether to train a model."
    if training.outcome is Outcome.SKIP:
        return f"No model was trained on it. {training.summary}"
    return (
        f"A model is being trained on {count(batch.rows_train)} listings and tested on {count(batch.rows_test)} others."
    )


def _promoted(promotion: Decision) -> str:
    name = f"Version {promotion.model_version}"
    if promotion.outcome is Outcome.PROMOTE:
        return f"{name} was trained and is going into service."
    return f"{name} was trained and rejected. {promotion.summary}"
