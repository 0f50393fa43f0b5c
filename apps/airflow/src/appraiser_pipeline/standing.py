"""What stands: which decisions are not made again, which are carried out, and which model is a batch's own."""

from collections.abc import Sequence
from typing import Final

import structlog

from appraiser_pipeline.context import Context
from appraiser_schema import Alias, AliasMove, Batch, Decision, DecisionKind, Outcome

log = structlog.get_logger()

MOVED: Final = {Outcome.PROMOTE: Alias.CHAMPION, Outcome.REJECT: Alias.CHALLENGER}
"""Which alias a decision about a promotion moves to the model."""


def standing_decision(context: Context, batch_number: int, kind: DecisionKind) -> Decision | None:
    """The decision that stands, if there is one. What a dry run told stands for dry runs only."""
    made = context.ledger.decision(batch_number, kind)
    return made if made is not None and stands(made, dry_run=context.settings.dry_run) else None


def stands(decision: Decision, *, dry_run: bool) -> bool:
    """Whether a decision is not made again by a dry run, or by one that is none."""
    return dry_run or not decision.dry_run


def is_decided(context: Context, batch_number: int) -> bool:
    """Whether nothing is left to decide about a batch: no model is trained for it, or its model was decided on."""
    training, promotion = (standing_decision(context, batch_number, kind) for kind in DecisionKind)
    return promotion is not None or (training is not None and training.outcome is Outcome.SKIP)


def carrying_out(decision: Decision, moves: Sequence[AliasMove]) -> AliasMove | None:
    """The recorded move that carried out a decision about a promotion; None where it is still to be carried out.

    Whoever moved the alias after the decision: where a person found the alias moved and no record of it, and moved
    it on, the pipeline does not move it back. A model that was the champion before the decision needs no later move.
    """
    before = decision.champion_version == decision.model_version
    mine = [m for m in moves if m.alias is MOVED[decision.outcome] and m.to_version == decision.model_version]
    return next((move for move in mine if before or move.at >= decision.decided_at), None)


def version_of(context: Context, batch: Batch) -> int | None:
    """The batch's own version, where this code can use it; None where there is none, so that it is to be trained."""
    from appraiser_model import BundleError  # noqa: PLC0415 - brings the libraries of the model

    found = own_version(context, batch)
    if found is not None:
        try:
            context.registry.load(found)
        except BundleError as error:
            log.warning("version_unusable", batch=batch.batch_number, version=found, problem=error.problem)
            return None
    return found


def own_version(context: Context, batch: Batch) -> int | None:
    """The version that was trained on the batch's own snapshot, by the feature code of now; None where there is none.

    The number of the batch alone does not tell: the registry may be older than the lake, or the code newer than the
    version, which then can appraise nothing.
    """
    from appraiser_features import CODE_FINGERPRINT  # noqa: PLC0415 - brings the libraries of the features

    found = context.registry.version_of_batch(batch.batch_number)
    if found is None:
        return None
    model = context.registry.version(found)
    own = (model.snapshot_id, model.features_fingerprint) == (batch.clean_snapshot_id, CODE_FINGERPRINT)
    return found if own else None
