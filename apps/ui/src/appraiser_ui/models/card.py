"""A version's card: in words on the page, as files to keep."""

import json

import streamlit as st

from appraiser_schema import ModelDetail
from appraiser_ui import readings
from appraiser_ui.errors import ApiError
from appraiser_ui.notices import observe, show_error
from appraiser_ui.words import Language, current, say


def show_card(model: ModelDetail, url: str) -> None:
    """Draw the card.

    Args:
        model: The version.
        url: Address of the API, which writes the card in words.
    """
    with st.expander(say("models.card.title"), key="card"):
        text = observe(lambda: readings.model_card(url, model.version))
        if isinstance(text, ApiError):
            show_error(text)
            return
        if current() is not Language.ENGLISH:
            st.caption(say("models.card.in_english"))
        st.markdown(on_the_page(text))
        with st.container(horizontal=True):
            name = f"{model.card['name']}-{model.version}"
            markdown, raw = say("models.card.markdown"), json.dumps(model.card, indent=2)
            st.download_button(markdown, text, f"{name}.md", "text/markdown", icon=":material/description:")
            st.download_button(
                say("models.card.json"), raw, f"{name}.json", "application/json", icon=":material/data_object:"
            )


def on_the_page(text: str) -> str:
    """The card below the headings that the page has already; nothing in it is a formula.

    Args:
        text: Markdown.
    """
    lines = [f"###{line}" if line.startswith("#") else line for line in text.splitlines()]
    return "\n".join(lines).replace("$", "\\$")
