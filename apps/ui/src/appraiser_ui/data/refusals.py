"""Refused rows of a batch by rule, with the values that broke it."""

from collections.abc import Sequence

import streamlit as st

from appraiser_schema import BatchDetail, Refusal
from appraiser_ui.broken_rules import column_title, must_be, shown_value
from appraiser_ui.figures import count, percent, plain
from appraiser_ui.words import say


def show_refusals(detail: BatchDetail) -> None:
    """Draw the table of what was refused."""
    batch = detail.batch
    st.markdown(f"### {say('data.refused.title')}")
    if detail.report is None:
        st.markdown(say("data.refused.unknown"))
        return
    if not detail.report.refusals:
        st.markdown(say("data.refused.none"))
        return
    if batch.rows_received and batch.rows_quarantined is not None:
        share = percent(batch.rows_quarantined / batch.rows_received * 100, 2)
        st.markdown(
            say(
                "data.refused.share",
                refused=count(batch.rows_quarantined),
                received=count(batch.rows_received),
                percent=plain(share),
            )
        )
    st.table(_rows(detail.report.refusals), border="horizontal", hide_index=True)
    st.caption(say("data.refused.examples_note"))


def _rows(refusals: Sequence[Refusal]) -> list[dict[str, str]]:
    return [
        {
            say("data.refused.rule"): plain(
                say("data.refused.must_be", column=column_title(refusal.column), rule=must_be(refusal.rule))
            ),
            say("data.refused.rows"): count(refusal.rows),
            say("data.refused.examples"): ", ".join(f"`{_safe(shown_value(value))}`" for value in refusal.examples),
        }
        for refusal in refusals
    ]


def _safe(value: str) -> str:
    """A value that cannot end the mark of code around it, nor a cell of the table."""
    return value.replace("`", "'").replace("|", "¦").replace("\n", " ").replace("\r", " ")
