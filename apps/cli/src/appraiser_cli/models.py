"""Model versions with the decisions about them, and where they come from."""

from appraiser_cli.home import Home
from appraiser_cli.settings import Settings
from appraiser_cli.state import open_ledger, open_registry
from appraiser_schema import Decision, DecisionKind, ModelDetail, ModelLineage, ModelVersion
from appraiser_store import Ledger, model_lineage


def all_models(home: Home, settings: Settings) -> list[ModelVersion]:
    """Every version, the newest first, each with the decision about it."""
    with open_ledger(home, settings) as ledger:
        decisions = _decisions(ledger)
        found = open_registry(home, settings).versions()
    return [model.model_copy(update={"decision": decisions.get(model.version)}) for model in found]


def decided(decision: Decision | None) -> str:
    """The outcome of a decision in a table, marked where a dry run only told it."""
    if decision is None:
        return "-"
    return decision.outcome.value + (" (dry run)" if decision.dry_run else "")


def one_model(home: Home, settings: Settings, version: int) -> ModelDetail:
    """One version with its card and the decision about it."""
    registry = open_registry(home, settings)
    model, card = registry.version(version), registry.card(version)
    with open_ledger(home, settings) as ledger:
        decision = _decisions(ledger).get(version)
    facts = {name: getattr(model, name) for name in ModelVersion.model_fields if name != "decision"}
    return ModelDetail(**facts, decision=decision, card=card.model_dump(mode="json"))


def origin(home: Home, settings: Settings, version: int) -> ModelLineage:
    """Where one version comes from, and what became of it."""
    model = open_registry(home, settings).version(version)
    with open_ledger(home, settings) as ledger:
        return model_lineage(ledger, model)


def card_text(home: Home, settings: Settings, version: int) -> str:
    """The card of one version in words, as Markdown."""
    from appraiser_model.card_text import card_in_words  # noqa: PLC0415

    found = origin(home, settings, version)
    return card_in_words(open_registry(home, settings).card(version), found.model, found.evaluation)


def _decisions(ledger: Ledger) -> dict[int, Decision]:
    found = ledger.decisions(DecisionKind.PROMOTION)
    return {decision.model_version: decision for decision in found if decision.model_version is not None}
