"""The page *Data*: what came in, what was refused, how it differs, and what was decided about training."""

from collections.abc import Sequence

import streamlit as st

from appraiser_schema import Batch, BatchDetail, Decision, DecisionKind
from appraiser_ui import readings
from appraiser_ui.data.batches import show_batches
from appraiser_ui.data.drift import show_drift
from appraiser_ui.data.refusals import show_refusals
from appraiser_ui.data.training import show_training
from appraiser_ui.decisions import show_decision
from appraiser_ui.errors import ApiError
from appraiser_ui.figures import count, moment, plain
from appraiser_ui.notices import observe, show_error, watch
from appraiser_ui.words import say

type Seen = tuple[tuple[Batch, ...], tuple[Decision, ...]]
"""Every batch and every decision, the newest first."""


def show(url: str) -> None:
    """Draw the page.

    Args:
        url: Address of the API.
    """
    st.title(say("data.title"))
    st.markdown(say("data.intro"))

    def look() -> Seen:
        return readings.batches(url), readings.decisions(url)

    seen = observe(look)
    if isinstance(seen, ApiError):
        show_error(seen)
    else:
        _show_all(url, *seen)
    watch(look, seen)


def _show_all(url: str, batches: Sequence[Batch], decisions: Sequence[Decision]) -> None:
    st.header(say("data.batches.title"))
    if not batches:
        st.info(say("data.batches.none"), icon=":material/hourglass_top:")
        return
    show_batches(batches)
    numbers = [batch.batch_number for batch in batches]
    number = st.selectbox(say("data.look_at"), numbers, key="batch", bind="query-params")
    detail = observe(lambda: readings.batch(url, number))
    if isinstance(detail, ApiError):
        show_error(detail)
    else:
        _show_batch(detail)
    show_training(decisions)


def _show_batch(detail: BatchDetail) -> None:
    batch = detail.batch
    with st.container(border=True, key="selected-batch"):
        st.markdown(f"### {say('data.batch', number=batch.batch_number)}")
        st.markdown(
            say(
                "data.arrived",
                when=plain(moment(batch.received_at)),
                source=plain(batch.source),
                rows=count(batch.rows_received),
            )
        )
        if batch.stop_reason:
            st.warning(say("data.stopped", reason=plain(batch.stop_reason)), icon=":material/block:")
        show_refusals(detail)
        show_drift(detail)
        for decision in detail.decisions:
            if decision.kind is DecisionKind.TRAINING:
                st.markdown(f"### {say('data.training.one')}")
                show_decision(decision)
