"""Keeps the card of a version in words in MLflow, as far as things have come."""

import structlog

from appraiser_model.card_text import card_in_words
from appraiser_pipeline.context import Context
from appraiser_schema import DecisionKind

log = structlog.get_logger()


def keep_card(context: Context, version: int, batch_number: int) -> None:
    """Write the card of a version as its description and among the files of its run.

    A card that says the same already is left. One that cannot be kept is an error in the log and costs nothing else;
    the next run of the step writes it.

    Args:
        context: Ledger and registry.
        version: Which.
        batch_number: The batch that asked for the version.
    """
    try:
        registry, ledger = context.registry, context.ledger
        evaluation, decision = ledger.evaluation(batch_number), ledger.decision(batch_number, DecisionKind.PROMOTION)
        text = card_in_words(registry.card(version), registry.version(version), evaluation, decision)
        registry.describe(version, text)
    except Exception:  # a text must not cost a decision
        log.exception("card_failed", version=version, batch=batch_number)
