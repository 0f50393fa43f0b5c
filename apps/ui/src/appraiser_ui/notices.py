"""What the page says when the API cannot answer, and how it notices that it can again."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from appraiser_schema import Problem
from appraiser_ui.errors import ApiAwayError, ApiError, NoModelError, RefusedError, UnreadableError
from appraiser_ui.figures import plain
from appraiser_ui.words import Language, current, say, say_or

WATCH_SECONDS: Final = 4.0
"""How often an open page looks whether something has changed."""

_TYPE: Final = "urn:appraiser:problem:"


def in_words(error: ApiError) -> str:
    """The error in words for people, as Markdown."""
    match error:
        case ApiAwayError():
            why = say(f"frame.away.{error.reason}")
            return f"**{say('frame.away.title')}** `{error.url}`: {why}. {say('frame.away.what')}"
        case RefusedError():
            return refusal(error.problem)
        case NoModelError():
            return f"**{say('frame.no_model.title')}**"
        case UnreadableError():
            return f"**{say('frame.unreadable.title')}** {say('frame.unreadable.what')}"
        case _:
            return f"**{say('problems.unknown')}**"


def refusal(problem: Problem) -> str:
    """Why the API refused, as Markdown; its own details are in English, and so are told only there."""
    kind = problem.type.removeprefix(_TYPE)
    title = plain(say_or(f"problems.{kind}", say("problems.unknown")))
    details = [plain(problem.detail)] if current() is Language.ENGLISH else []
    return " ".join([f"**{title}**", *details])


def show_error(error: ApiError) -> None:
    """Say what went wrong, with a button to try again."""
    with st.container(key="api-error"):
        st.error(in_words(error), icon=":material/cloud_off:")
        # A press draws the page again by itself; to ask for that once more would undo a link that was clicked since.
        st.button(say("frame.away.again"), icon=":material/refresh:", key="retry")


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
