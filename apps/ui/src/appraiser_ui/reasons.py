"""Decisions and their rules in words: in English the ledger's own, in other languages said from their figures."""

from typing import Final

from appraiser_schema import Decision, Outcome, Reason
from appraiser_ui.appraise.fields import form_fields
from appraiser_ui.figures import DASH, count, decimal, percent
from appraiser_ui.words import Language, current, has, say, say_or

CHANGES: Final = frozenset({"mae", "rmse", "segments"})
"""Rules whose figures are changes of an error in percent, below 0 where it got smaller."""

PERCENTS: Final = frozenset({"coverage", "growth", "wider_market"})
"""Rules whose figures are percentages."""

COUNTS: Final = frozenset({"least_rows", "new_rows", "new_category"})


def rule_name(rule: str) -> str:
    """A rule as people read it; one that the page does not know by its own name."""
    return say_or(f"reasons.name.{rule}", rule.replace("_", " ").capitalize())


def reason_in_words(reason: Reason) -> str:
    """What a rule saw, in one sentence."""
    if current() is Language.ENGLISH:
        return reason.text
    if reason.rule == "segments" and reason.figure is None:
        return say("ledger.said.segments_none")
    figure, threshold = (_figure(reason.rule, value) for value in (reason.figure, reason.threshold))
    part = part_name(reason.parts[0].name) if reason.parts else DASH
    return say_or(f"ledger.said.{reason.rule}", reason.text, figure=figure, threshold=threshold, part=part)


def decision_in_words(decision: Decision) -> str:
    """The verdict and what decided it."""
    if current() is Language.ENGLISH:
        return decision.summary
    told = [reason for reason in decision.reasons if _is_decisive(reason, decision.outcome)]
    dry = [say("ledger.verdict.dry_run")] if decision.dry_run else []
    return " ".join([*dry, _verdict(decision), *(reason_in_words(reason) for reason in told)])


def part_name(name: str) -> str:
    """A part of the market or a feature as people read it: `price_band …`, `state Utah`, `acre_lot`."""
    if current() is Language.ENGLISH:
        return name.replace("_", " ")
    if name in form_fields():
        return form_fields()[name].title.lower()
    kind, _, rest = name.replace("price band", "price_band").partition(" ")
    return say(f"ledger.part.{kind}", name=rest) if rest and has(f"ledger.part.{kind}") else name


def _verdict(decision: Decision) -> str:
    replaces = decision.outcome is Outcome.PROMOTE and decision.champion_version
    over = "_over" if replaces else ""
    versions = {"version": decision.model_version, "champion": decision.champion_version}
    return say(f"ledger.verdict.{decision.outcome}{over}", **versions)


def _is_decisive(reason: Reason, outcome: Outcome) -> bool:
    """A promotion is told by what it gained, as the ledger does; everything else by the rules that decided it."""
    if outcome is Outcome.PROMOTE:
        return reason.rule in {"mae", "wider_market", "better_than_the_mean"}
    return reason.passed is (outcome is Outcome.TRAIN)


def _figure(rule: str, value: float | None) -> str:
    if value is None:
        return DASH
    if rule in CHANGES:
        return say(f"ledger.change.{'larger' if value > 0 else 'smaller'}", percent=percent(abs(value)))
    if rule in PERCENTS:
        return percent(value)
    return count(round(value)) if rule in COUNTS else decimal(value, 3)
