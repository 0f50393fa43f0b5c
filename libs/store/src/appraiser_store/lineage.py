"""From an appraisal to its model, the snapshot, the batches and the commit: what the ledger adds to a model version."""

from appraiser_schema import DecisionKind, Lineage, ModelLineage, ModelVersion, Prediction
from appraiser_store.errors import InstantError, NoChampionThenError
from appraiser_store.history import reign_at
from appraiser_store.ledger import Ledger


def model_lineage(ledger: Ledger, model: ModelVersion) -> ModelLineage:
    """Where a version comes from.

    Args:
        ledger: What was received and decided.
        model: What the registry knows of the version.
    """
    known = {batch.batch_number: batch for batch in ledger.batches()}
    evaluations = [e for e in ledger.evaluations() if e.challenger_version == model.version]
    decisions = [d for d in ledger.decisions(DecisionKind.PROMOTION) if d.model_version == model.version]
    return ModelLineage(
        model=model.model_copy(update={"decision": decisions[-1] if decisions else None}),
        batches=tuple(known[number] for number in model.batches if number in known),
        batches_unknown=tuple(number for number in model.batches if number not in known),
        evaluation=evaluations[-1] if evaluations else None,
        moves=tuple(move for move in ledger.moves() if model.version in (move.from_version, move.to_version)),
    )


def lineage(ledger: Ledger, prediction: Prediction, model: ModelVersion) -> Lineage:
    """Where an appraisal comes from.

    Args:
        ledger: What was received, decided and answered.
        prediction: The appraisal as it was answered.
        model: What the registry knows of the version that answered.
    """
    moves = ledger.moves()
    try:
        reign = reign_at(moves, prediction.at, prediction.at)
    except (InstantError, NoChampionThenError):
        reign = None
    if reign is not None and reign.version != prediction.model_version:
        reign = None
    return Lineage(prediction=prediction, reign=reign, origin=model_lineage(ledger, model))
