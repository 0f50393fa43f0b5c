"""The switch between the languages, which remembers what was chosen: in the address and in a cookie."""

from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.components.v2 import component

from appraiser_ui.words import NAMES, Language, current, remember, say

PARAMETER: Final = "lang"
"""Name of the query parameter."""

COOKIE: Final = "appraiser-language"

_CHOSEN: Final = "language-chosen"

HERE: Final = Path(__file__).parent

_tell_browser = component("appraiser.language", js=(HERE / "language_switch.js").read_text())


def choose_language() -> None:
    """Speak the language of this visitor: the address counts most, then the cookie, then the browser's own."""
    if _CHOSEN not in st.session_state:
        st.session_state[_CHOSEN] = _first_choice()
    remember(st.session_state[_CHOSEN] or current())


def show_switch() -> None:
    """Draw the switch, and tell the browser which language the page is in."""
    st.html(HERE / "frame.css")
    with st.container(horizontal=True, horizontal_alignment="right", key="language-switch"):
        st.segmented_control(
            say("frame.language"),
            list(Language),
            required=True,
            format_func=NAMES.__getitem__,
            key=_CHOSEN,
            label_visibility="collapsed",
            persist_state="session",
        )
    if st.query_params.get(PARAMETER) != current():
        st.query_params[PARAMETER] = current()
    _tell_browser(key="language-told", data={"language": current(), "cookie": COOKIE}, height=1)


def _first_choice() -> Language:
    context = st.context
    wishes = (st.query_params.get(PARAMETER), context.cookies.get(COOKIE), (context.locale or "")[:2].lower())
    known = {str(language) for language in Language}
    return next((Language(wish) for wish in wishes if wish in known), Language.ENGLISH)
