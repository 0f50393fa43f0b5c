"""Health of every part, one card each."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from appraiser_schema import Part, PartState
from appraiser_ui.figures import decimal, moment, plain
from appraiser_ui.words import say, say_or

LOOKS: Final = {
    PartState.UP: ("blue", ":material/check_circle:"),
    PartState.DOWN: ("orange", ":material/error:"),
    PartState.UNKNOWN: ("gray", ":material/help:"),
}
"""Colour and sign of a state; the word beside it says the same."""


def show_parts(parts: Sequence[Part]) -> None:
    """Draw the cards."""
    with st.container(horizontal=True, gap="small", key="parts"):
        for part in parts:
            with st.container(border=True, key=f"part-{part.name}"):
                _card(part)


def _card(part: Part) -> None:
    colour, icon = LOOKS[part.state]
    st.markdown(f"**{plain(say(f'service.parts.{part.name}'))}**")
    st.badge(say(f"service.states.{part.state}"), color=colour, icon=icon)  # type: ignore[arg-type]
    st.caption(" ".join(plain(text) for text in _told(part)))


def _told(part: Part) -> list[str]:
    told = [say_or(f"service.codes.{part.name}.{part.code}", say_or(f"service.codes.{part.code}", part.detail))]
    if part.seconds is not None:
        told.append(say("service.answered_in", milliseconds=decimal(part.seconds * 1000, 1)))
    if part.last_at is not None:
        told.append(say("service.last_at", when=moment(part.last_at)))
    return told
