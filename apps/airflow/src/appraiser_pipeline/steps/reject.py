"""Keep a challenger that lost, under its own alias."""

from appraiser_pipeline.context import Context
from appraiser_pipeline.steps.promote import follow_decision
from appraiser_schema import AliasMove, MoveKind, Outcome


def reject(context: Context, batch_number: int) -> AliasMove:
    """Move the alias 'challenger' to the model that was rejected, and record the move once.

    Raises:
        OrderError: No rejection was decided.
    """
    return follow_decision(context, batch_number, Outcome.REJECT, MoveKind.REJECTION)
