"""The page *Service*: it draws itself again by a fragment, and nothing else of the page runs for that."""

from typing import Final

import streamlit as st

from appraiser_ui import readings
from appraiser_ui.errors import ApiError
from appraiser_ui.figures import moment, plain
from appraiser_ui.notices import in_words, observe
from appraiser_ui.service.live import show_backlog, show_live_errors
from appraiser_ui.service.parts import show_parts
from appraiser_ui.service.samples import look
from appraiser_ui.service.traffic import show_traffic
from appraiser_ui.words import say

AGAIN_SECONDS: Final = 3.0
"""How often the figures are drawn again."""


def show(url: str) -> None:
    """Draw the page.

    Args:
        url: Address of the API.
    """
    st.title(say("service.title"))
    st.markdown(say("service.intro"))
    _figures(url)


@st.fragment(run_every=AGAIN_SECONDS)
def _figures(url: str) -> None:
    states = observe(lambda: look(url))
    if isinstance(states, ApiError):
        with st.container(key="api-error"):
            st.error(in_words(states), icon=":material/cloud_off:")
            st.button(say("frame.away.again"), icon=":material/refresh:", key="retry")
        return
    now = states[-1]
    st.header(say("service.parts_title"))
    show_parts(now.parts)
    show_traffic(states)
    errors = observe(lambda: readings.live_errors(url))
    if isinstance(errors, ApiError):
        st.error(in_words(errors), icon=":material/cloud_off:")
    else:
        show_live_errors(errors)
    show_backlog(now.backlog)
    st.caption(say("service.as_of", when=plain(moment(now.at)), software=plain(now.software)))
