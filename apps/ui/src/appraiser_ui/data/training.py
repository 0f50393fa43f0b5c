"""Decisions about training: every batch with the figures that decided."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from appraiser_schema import Decision, DecisionKind
from appraiser_ui.decisions import figure_of, outcome_of
from appraiser_ui.figures import in_utc
from appraiser_ui.reasons import decision_in_words, rule_name
from appraiser_ui.tables import show_table
from appraiser_ui.words import say


def show_training(decisions: Sequence[Decision]) -> None:
    """Draw the table of every decision about training.

    Args:
        decisions: Newest first, of any kind.
    """
    training = [decision for decision in decisions if decision.kind is DecisionKind.TRAINING]
    st.header(say("data.training.title"))
    st.markdown(say("data.training.what"))
    if not training:
        st.markdown(say("data.training.none"))
        return
    show_table(
        [_row(decision) for decision in training],
        column_config=_columns(training),
        key="training-decisions",
        alt=say("data.training.alt"),
    )


def _row(decision: Decision) -> dict[str, Any]:
    return {
        "batch": decision.batch_number,
        "outcome": outcome_of(decision),
        "decided": in_utc(decision.decided_at),
        "why": decision_in_words(decision),
        **{
            reason.rule: say(
                "data.training.of",
                figure=figure_of(reason.figure, reason.rule),
                threshold=figure_of(reason.threshold, reason.rule),
            )
            for reason in decision.reasons
            if reason.figure is not None
        },
    }


def _columns(training: Sequence[Decision]) -> dict[str, Any]:
    column = st.column_config
    rules = {reason.rule for decision in training for reason in decision.reasons}
    return {
        "batch": column.NumberColumn(say("data.batches.batch"), format="%d", pinned=True, width="small"),
        "outcome": column.TextColumn(say("data.training.outcome")),
        "decided": column.DatetimeColumn(say("data.training.decided"), format=say("data.batches.date_format")),
        "why": column.TextColumn(say("data.training.why"), width="large"),
        **{rule: column.TextColumn(rule_name(rule), help=say("data.training.of_help")) for rule in rules},
    }
