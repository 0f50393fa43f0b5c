"""The languages of the page, and the one that is spoken now."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Final

import streamlit as st
from babel import Locale
from streamlit.runtime.scriptrunner import get_script_run_ctx


class Language(StrEnum):
    """A language of the page, by its ISO 639-1 code."""

    ENGLISH = "en"
    SPANISH = "es"


NAMES: Final = {Language.ENGLISH: "English", Language.SPANISH: "Español"}
"""What each language calls itself."""

LOCALES: Final = {Language.ENGLISH: Locale("en", "US"), Language.SPANISH: Locale("es", "CO")}
"""How figures and dates are written (Unicode CLDR): 1,617.5 and 1.617,5."""

_KEY: Final = "language"
_SPOKEN: ContextVar[Language | None] = ContextVar("spoken", default=None)


def current() -> Language:
    """The language of `speaking`, else that of the visitor's session; English where there is neither."""
    if (spoken := _SPOKEN.get()) is not None:
        return spoken
    if get_script_run_ctx(suppress_warning=True) is None:
        return Language.ENGLISH
    return Language(st.session_state.get(_KEY, Language.ENGLISH))


def remember(language: Language) -> None:
    """Speak this language for the rest of the session."""
    st.session_state[_KEY] = language


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Speak a language for a while, whatever the session's is."""
    token = _SPOKEN.set(language)
    try:
        yield
    finally:
        _SPOKEN.reset(token)
