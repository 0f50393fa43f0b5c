"""One version in full: why it was promoted or rejected, and its card."""

from typing import Final

import streamlit as st

from appraiser_schema import ModelDetail
from appraiser_ui.appraise.answer import show_simulated
from appraiser_ui.decisions import show_decision
from appraiser_ui.figures import count, moment, plain, spans
from appraiser_ui.models.card import show_card
from appraiser_ui.models.metrics import METRICS
from appraiser_ui.models.verdicts import Verdict, verdict
from appraiser_ui.words import say

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
        st.markdown(f"### {say('models.named', version=model.version)}")
        _badges(model)
        st.markdown(
            say(
                "models.selected.trained",
                when=plain(moment(model.created_at)),
                rows=count(model.rows_train),
                batches=spans(model.batches),
            )
        )
        _figures(model)
        st.markdown(f"#### {say('models.selected.decided')}")
        if model.decision is None:
            st.markdown(say("models.selected.open"))
        else:
            show_decision(model.decision)
        show_card(model, url)


def _badges(model: ModelDetail) -> None:
    colour, icon = BADGES[verdict(model)]
    with st.container(horizontal=True):
        st.badge(verdict(model).words, color=colour, icon=icon)  # type: ignore[arg-type]
        if model.simulated_data:
            show_simulated()


def _figures(model: ModelDetail) -> None:
    with st.container(horizontal=True, gap="medium"):
        for metric in METRICS:
            value = model.metrics.get(metric.name)
            st.markdown(f"{plain(metric.short)}  \n**{plain(metric.text(value))}**", help=metric.help, width="content")
