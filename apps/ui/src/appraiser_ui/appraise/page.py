"""The page *Appraise*: describe a house, read its price and the reasons."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from appraiser_schema import Explanation, ModelRef
from appraiser_ui import readings
from appraiser_ui.appraise.answer import show_price, show_reasons, show_simulated
from appraiser_ui.appraise.comparables import show_comparables
from appraiser_ui.appraise.described import described
from appraiser_ui.appraise.form import Listing, asked, fill, mark, show_form
from appraiser_ui.appraise.link import keep_in_address, listing_of, show_link
from appraiser_ui.appraise.progress import progress
from appraiser_ui.appraise.what_if import show_what_if
from appraiser_ui.errors import ApiError, NoModelError, RefusedError
from appraiser_ui.figures import plain
from appraiser_ui.notices import observe, refusal, show_error, watch
from appraiser_ui.words import Language, current, say

KEPT: Final = "answered"
"""Where the session keeps the last answer, so that it stays while other things on the page change."""

_OPENED: Final = "opened"
_NOTICE: Final = "refused"


@dataclass(frozen=True, slots=True)
class Answered:
    """A house and what was answered about it."""

    listing: Listing
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class State:
    """What the page stands on.

    Attributes:
        model: The model in service; None before the first.
        doing: What the system does meanwhile; empty while a model is in service.
        detail: What the API says about it.
    """

    model: ModelRef | None
    doing: str = ""
    detail: str = ""


def show(url: str) -> None:
    """Draw the page.

    Args:
        url: Address of the API.
    """
    st.title(say("appraise.title"))
    st.markdown(say("appraise.lead"))
    _open_link()
    state = observe(lambda: _look(url))
    model = state.model if isinstance(state, State) else None
    left, right = st.columns([2, 3], gap="large")
    with left:
        show_form(url, model.version if model else None, ready=not isinstance(state, State) or model is not None)
    with right:
        if isinstance(state, ApiError):
            show_error(state)
        elif model is None:
            _wait(state)
        elif (listing := asked()) is not None:
            _ask(url, listing, model.version)
        _show_right(model)
    _show_below(url)
    watch(lambda: _look(url), state)


def _open_link() -> None:
    """Ask about the house in the address, once, where the visitor has come by a link."""
    if not st.session_state.get(_OPENED):
        st.session_state[_OPENED] = True
        if (listing := listing_of(st.query_params.to_dict())) is not None:
            fill(listing)


def _look(url: str) -> State:
    ready = readings.ready(url)
    if ready.ready:
        return State(ready.model)
    return State(None, progress(readings.batches(url), readings.decisions(url)), ready.detail)


def _ask(url: str, listing: Listing, version: int) -> None:
    st.session_state.pop(KEPT, None)
    try:
        st.session_state[KEPT] = Answered(listing, readings.explain(url, listing, version))
    except RefusedError as error:
        mark(error.problem.errors)
        text = say("appraise.form.not_appraised") if error.problem.errors else refusal(error.problem)
        st.session_state[_NOTICE] = text
        st.rerun()
    except NoModelError:
        st.rerun()
    except ApiError as error:
        show_error(error)


def _wait(state: State) -> None:
    with st.container(key="no-model"):
        st.info(
            f"**{say('frame.no_model.title')}** {plain(state.doing)} {say('appraise.wait.then')}",
            icon=":material/hourglass_top:",
        )
        if current() is Language.ENGLISH:
            st.caption(say("appraise.wait.detail", detail=plain(state.detail)))


def _show_right(model: ModelRef | None) -> None:
    """The price, or what stands in its place."""
    if (notice := st.session_state.pop(_NOTICE, None)) is not None:
        st.warning(notice, icon=":material/edit:")
    elif (kept := st.session_state.get(KEPT)) is not None:
        _say_newer(kept, model)
        keep_in_address(kept.listing)
        show_price(described(kept.listing), kept.explanation)
        show_link(kept.listing)
    elif model is not None:
        _invite(model)


def _show_below(url: str) -> None:
    """Everything else about the answer."""
    kept: Answered | None = st.session_state.get(KEPT)
    if kept is None:
        return
    show_reasons(kept.explanation)
    show_what_if(url, kept.listing, kept.explanation)
    show_comparables(url, kept.listing, kept.explanation)


def _say_newer(kept: Answered, model: ModelRef | None) -> None:
    answered = kept.explanation.appraisal.model.version
    if model is not None and model.version != answered:
        text = say("appraise.newer.text", version=model.version, answered=answered)
        st.info(text, icon=":material/update:")


def _invite(model: ModelRef) -> None:
    with st.container(border=True, key="invitation"):
        st.markdown(f"## {say('appraise.invitation.title')}")
        st.markdown(say("appraise.invitation.text", version=model.version))
        if model.simulated_data:
            show_simulated()
