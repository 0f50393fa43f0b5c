"""Which decisions are not made again."""

from appraiser_pipeline.context import Context
from appraiser_schema import Decision, DecisionKind


def standing_decision(context: Context, batch_number: int, kind: DecisionKind) -> Decision | None:
    """The decision that stands, if there is one. What a dry run told stands for dry runs only."""
    made = context.ledger.decision(batch_number, kind)
    if made is None or (made.dry_run and not context.settings.dry_run):
        return None
    return made
