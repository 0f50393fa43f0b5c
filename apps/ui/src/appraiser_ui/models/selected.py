"""One version in full: why it was promoted or rejected, and its card."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from appraiser_schema import ModelDetail, Outcome, Reason
from appraiser_ui.appraise.answer import show_simulated
from appraiser_ui.figures import DASH, MINUS, count, moment, plain, spans
from appraiser_ui.models.card import show_card
from appraiser_ui.models.metrics import METRICS
from appraiser_ui.models.verdicts import Verdict, verdict

OUTCOMES: Final = {
    Outcome.PROMOTE: "Promoted",
    Outcome.REJECT: "Rejected",
    Outcome.TRAIN: "Trained",
    Outcome.SKIP: "Skipped",
}

WOULD_BE: Final = {
    Outcome.PROMOTE: "Would be promoted",
    Outcome.REJECT: "Would be rejected",
    Outcome.TRAIN: "Would be trained",
    Outcome.SKIP: "Would be skipped",
}

_ABBREVIATIONS: Final = frozenset({"mae", "rmse"})

_IN_PERCENT: Final = frozenset({"coverage", "growth", "mae", "rmse", "segments", "wider_market"})
"""Rules with figures in percent; of an error it is the change, below 0 where it got smaller."""

_UNITS: Final = {"engines_agree": "ppm"}
"""Units of the other rules; parts per million of the price."""

BADGES: Final = {
    Verdict.IN_SERVICE: ("blue", ":material/check_circle:"),
    Verdict.REPLACED: ("blue", ":material/history:"),
    Verdict.REJECTED: ("orange", ":material/cancel:"),
    Verdict.OVERRULED: ("orange", ":material/history:"),
    Verdict.TRIED: ("gray", ":material/science:"),
    Verdict.OPEN: ("gray", ":material/hourglass_empty:"),
}


def show_selected(model: ModelDetail, url: str) -> None:
    """Draw everything that is known of the version.

    Args:
        model: The version with its card.
        url: Address of the API, which writes the card in words.
    """
    with st.container(border=True, key="selected-version"):
        st.markdown(f"#### Version {model.version}")
        _badges(model)
        st.markdown(
            f"Trained on {plain(moment(model.created_at))}, on {count(model.rows_train)} listings of "
            f"{'batches' if len(model.batches) > 1 else 'batch'} {spans(model.batches)}."
        )
        _figures(model)
        _decision(model)
        show_card(model, url)


def _badges(model: ModelDetail) -> None:
    colour, icon = BADGES[verdict(model)]
    with st.container(horizontal=True):
        st.badge(str(verdict(model)), color=colour, icon=icon)  # type: ignore[arg-type]
        if model.simulated_data:
            show_simulated()


def _figures(model: ModelDetail) -> None:
    with st.container(horizontal=True, gap="medium"):
        for metric in METRICS:
            value = model.metrics.get(metric.name)
            st.markdown(f"{plain(metric.short)}  \n**{plain(metric.text(value))}**", help=metric.help, width="content")


def _decision(model: ModelDetail) -> None:
    st.markdown("##### What was decided, and why")
    if model.decision is None:
        st.markdown("Nothing has been decided about this version yet.")
        return
    decision = model.decision
    against = f", compared with version {decision.champion_version}" if decision.champion_version else ""
    outcome = f"{WOULD_BE[decision.outcome]} (dry run)" if decision.dry_run else OUTCOMES[decision.outcome]
    st.markdown(f"**{outcome}** on {plain(moment(decision.decided_at))}{against}. {plain(decision.summary)}")
    st.table([_rule(reason) for reason in decision.reasons], border="horizontal", hide_index=True)
    _parts(decision.reasons)


def _parts(reasons: Sequence[Reason]) -> None:
    """The figures of the rules that looked at several."""
    for reason in reasons:
        if not reason.parts:
            continue
        with st.expander(f"{_rule_name(reason.rule)}: all {len(reason.parts)} figures"):
            st.table(
                [
                    {
                        "Of": plain(part.name),
                        "Figure": _figure(part.figure, reason.rule),
                        "Threshold": _figure(part.threshold, reason.rule),
                    }
                    for part in reason.parts
                ],
                border="horizontal",
                hide_index=True,
            )


def _rule(reason: Reason) -> dict[str, str]:
    return {
        "Rule": f"**{plain(_rule_name(reason.rule))}**: {plain(reason.text)}",
        "Figure": _figure(reason.figure, reason.rule),
        "Threshold": _figure(reason.threshold, reason.rule),
        "Passed": "✓ yes" if reason.passed else "✗ no",
    }


def _rule_name(rule: str) -> str:
    """A rule as people read it: `mae` becomes `MAE`, `better_than_the_mean` becomes `Better than the mean`."""
    return rule.upper() if rule in _ABBREVIATIONS else rule.replace("_", " ").capitalize()


def _figure(value: float | None, rule: str) -> str:
    if value is None:
        return DASH
    text = f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    unit = "%" if rule in _IN_PERCENT else _UNITS.get(rule, "")
    return plain((f"{text}\N{NO-BREAK SPACE}{unit}" if unit else text).replace("-", MINUS))
