"""The page *Appraise*: describe a house, read its price and the reasons."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from appraiser_schema import Explanation, ModelRef
from appraiser_ui import readings
from appraiser_ui.appraise.answer import show_answer, show_simulated
from appraiser_ui.appraise.described import described
from appraiser_ui.appraise.form import Form, Listing
from appraiser_ui.appraise.progress import progress
from appraiser_ui.errors import ApiError, NoModelError, RefusedError
from appraiser_ui.figures import plain
from appraiser_ui.notices import observe, show_error, watch

KEPT: Final = "answered"
"""Where the session keeps the last answer, so that it stays while other things on the page change."""


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
    st.title("Appraise a house")
    st.markdown("Describe a house in the United States and learn what it is worth, how sure that is, and why.")
    state = observe(lambda: _look(url))
    model = state.model if isinstance(state, State) else None
    left, right = st.columns([2, 3], gap="large")
    with left:
        form = Form()
        listing = form.show(ready=not isinstance(state, State) or model is not None)
    with right:
        if isinstance(state, ApiError):
            show_error(state)
        elif listing is not None and model is not None:
            _ask(url, form, listing, model.version)
        if isinstance(state, State) and model is None:
            _wait(state)
        if KEPT in st.session_state:
            _show_kept(st.session_state[KEPT], model)
        elif model is not None and listing is None:
            _invite(model)
    watch(lambda: _look(url), state)


def _look(url: str) -> State:
    ready = readings.ready(url)
    if ready.ready:
        return State(ready.model)
    return State(None, progress(readings.batches(url), readings.decisions(url)), ready.detail)


def _ask(url: str, form: Form, listing: Listing, version: int) -> None:
    st.session_state.pop(KEPT, None)
    try:
        st.session_state[KEPT] = Answered(listing, readings.explain(url, listing, version))
    except RefusedError as error:
        form.show_problems(error.problem.errors)
        st.warning(
            "The house could not be appraised: see what is marked in the form."
            if error.problem.errors
            else plain(error.problem.detail),
            icon=":material/edit:",
        )
    except NoModelError:
        st.rerun()
    except ApiError as error:
        show_error(error)


def _wait(state: State) -> None:
    with st.container(key="no-model"):
        st.info(
            f"**No model is in service yet.** {plain(state.doing)} "
            "The first model that passes its test goes into service, and this page then continues by itself.",
            icon=":material/hourglass_top:",
        )
        st.caption(f"The service says: {plain(state.detail)}")


def _show_kept(kept: Answered, model: ModelRef | None) -> None:
    answered_by = kept.explanation.appraisal.model.version
    if model is not None and model.version != answered_by:
        st.info(
            f"Model version {model.version} has gone into service since; this answer is by version {answered_by}. "
            "Press Appraise for a new one.",
            icon=":material/update:",
        )
    show_answer(described(kept.listing), kept.explanation)


def _invite(model: ModelRef) -> None:
    with st.container(border=True, key="invitation"):
        st.markdown("##### The price appears here")
        st.markdown(
            "The form starts with an example: change what you like, then press **Appraise**. "
            f"Model version {model.version} is in service."
        )
        if model.simulated_data:
            show_simulated()
