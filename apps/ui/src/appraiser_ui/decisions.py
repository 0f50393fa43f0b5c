"""Decisions with their rules: what was measured, and what it was held against."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from appraiser_schema import Decision, Outcome, Reason
from appraiser_ui.figures import DASH, NBSP, decimal, moment, plain
from appraiser_ui.reasons import decision_in_words, part_name, reason_in_words, rule_name
from appraiser_ui.words import say

_IN_PERCENT: Final = frozenset({"coverage", "growth", "mae", "rmse", "segments", "wider_market"})
"""Rules with figures in percent; of an error it is the change, below 0 where it got smaller."""

_UNITS: Final = {"engines_agree": "ppm"}
"""Units of the other rules; parts per million of the price."""


def outcome_of(decision: Decision) -> str:
    """How a decision went; of a dry run, how it would have gone."""
    return say(f"decisions.{'would_be' if decision.dry_run else 'outcome'}.{decision.outcome}")


def show_decision(decision: Decision) -> None:
    """Draw a decision with every rule and every figure."""
    against = say("decisions.against", version=decision.champion_version) if _is_compared(decision) else ""
    head = say("decisions.head", outcome=outcome_of(decision), when=plain(moment(decision.decided_at)), against=against)
    st.markdown(f"{head} {plain(decision_in_words(decision))}")
    with st.container(key=f"rules-{decision.kind}-{decision.batch_number}"):
        st.table([_row(reason) for reason in decision.reasons], border="horizontal", hide_index=True)
    _parts(decision.reasons)


def figure_of(value: float | None, rule: str) -> str:
    """A figure of a rule with its unit; a dash where there is none."""
    if value is None:
        return DASH
    unit = "%" if rule in _IN_PERCENT else _UNITS.get(rule, "")
    # As many decimals of a percentage as the sentence beside it has.
    text = decimal(value, 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 or unit == "%" else 3)
    return f"{text}{NBSP}{unit}" if unit else text


def _is_compared(decision: Decision) -> bool:
    return decision.outcome in {Outcome.PROMOTE, Outcome.REJECT} and decision.champion_version is not None


def _row(reason: Reason) -> dict[str, str]:
    return {
        say("decisions.rule"): f"**{plain(rule_name(reason.rule))}**: {plain(reason_in_words(reason))}",
        say("decisions.figure"): plain(figure_of(reason.figure, reason.rule)),
        say("decisions.threshold"): plain(figure_of(reason.threshold, reason.rule)),
        say("decisions.passed"): f"✓ {say('frame.yes')}" if reason.passed else f"✗ {say('frame.no')}",
    }


def _parts(reasons: Sequence[Reason]) -> None:
    """The figures of the rules that looked at several."""
    for reason in reasons:
        if not reason.parts:
            continue
        with st.expander(say("decisions.parts", rule=rule_name(reason.rule), count=len(reason.parts))):
            st.table(
                [
                    {
                        say("decisions.of"): plain(part_name(part.name)),
                        say("decisions.figure"): plain(figure_of(part.figure, reason.rule)),
                        say("decisions.threshold"): plain(figure_of(part.threshold, reason.rule)),
                    }
                    for part in reason.parts
                ],
                border="horizontal",
                hide_index=True,
            )
