"""What the page says when the API cannot answer, and how it notices that it can again."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from appraiser_ui.errors import ApiAwayError, ApiError, RefusedError, UnreadableError
from appraiser_ui.figures import plain

WATCH_SECONDS: Final = 4.0
"""How often an open page looks whether something has changed."""


def in_words(error: ApiError) -> str:
    """The error in words for people, as Markdown."""
    match error:
        case ApiAwayError():
            return (
                f"**The appraisal service does not answer.** `{error.url}`: {plain(error.reason)}. It may be "
                "starting: this page looks again every few seconds and continues by itself. Where you run it yourself, "
                "`./appraiser status` tells what is up."
            )
        case UnreadableError():
            return (
                f"**The appraisal service gave an answer that this page cannot read.** {plain(error.reason)}. "
                "Page and service should have the same version; restarting both usually helps."
            )
        case RefusedError():
            return f"**{plain(error.problem.title)}.** {plain(error.problem.detail)}"
        case _:
            return plain(str(error))


def show_error(error: ApiError) -> None:
    """Say what went wrong, with a button to try again."""
    with st.container(key="api-error"):
        st.error(in_words(error), icon=":material/cloud_off:")
        if st.button("Try again", icon=":material/refresh:", key="retry"):
            st.rerun()


def observe[Seen](read: Callable[[], Seen]) -> Seen | ApiError:
    """What is seen now, or the error that kept it from being seen."""
    try:
        return read()
    except ApiError as error:
        return error


@st.fragment(run_every=WATCH_SECONDS)
def watch(read: Callable[[], object], seen: object) -> None:
    """Draw the page again once something else is seen than what it shows, and only then.

    Args:
        read: What to look at. It should be a cached reading, so that many open pages cost one call.
        seen: What `observe(read)` gave when the page was drawn.
    """
    if _mark(observe(read)) != _mark(seen):
        st.rerun()


def _mark(seen: object) -> object:
    """What two sights are compared by; an error is the same while it says the same."""
    return str(seen) if isinstance(seen, ApiError) else seen
