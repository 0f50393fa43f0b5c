"""Make the challenger the champion."""

import structlog

from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError
from appraiser_pipeline.model_card import keep_card
from appraiser_pipeline.standing import MOVED, carrying_out
from appraiser_schema import Alias, AliasMove, DecisionKind, MoveKind, Outcome

log = structlog.get_logger()

PIPELINE = "house_price_pipeline"
"""Who moves an alias where no person does."""


def promote(context: Context, batch_number: int) -> AliasMove:
    """Move the alias 'champion' to the model that was decided for, and record the move once.

    Raises:
        OrderError: No promotion was decided.
    """
    return follow_decision(context, batch_number, Outcome.PROMOTE, MoveKind.PROMOTION)


def follow_decision(context: Context, batch_number: int, outcome: Outcome, kind: MoveKind) -> AliasMove:
    """Move an alias as a stored decision says. What is carried out is not done again: a person may have moved on.

    Before that, the version's card in words tells the decision.

    Raises:
        OrderError: The decision is missing, went the other way or was that of a dry run, or this is a dry run.
    """
    decision = context.ledger.decision(batch_number, DecisionKind.PROMOTION)
    dry = context.settings.dry_run or (decision is not None and decision.dry_run)
    if decision is None or dry or decision.outcome is not outcome or decision.model_version is None:
        raise OrderError(outcome.value, batch_number, f"decision to {outcome.value}", "decide_promotion")
    keep_card(context, decision.model_version, batch_number)
    moves, alias = context.ledger.moves(), MOVED[outcome]
    if made := carrying_out(decision, moves):
        return made
    move = context.registry.move(alias, decision.model_version, kind=kind, who=PIPELINE, why=decision.summary)
    if alias is Alias.CHAMPION and move.from_version == move.to_version:
        # The registry shows the new version already: after a kill between the move and its record, or because a
        # person moved the alias there and nothing recorded it.
        recorded = next((m.to_version for m in reversed(moves) if m.alias is alias), None)
        unrecorded = decision.champion_version == decision.model_version
        move = move.model_copy(update={"from_version": recorded if unrecorded else decision.champion_version})
    context.ledger.record_move(move)
    log.info(kind.value, batch=batch_number, version=decision.model_version)
    return move
