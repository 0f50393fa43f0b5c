"""How every chart is drawn: figures on axes and in tooltips as the language writes them."""

from typing import Any, Final

import altair as alt
import streamlit as st

from appraiser_ui.figures import MINUS, NBSP
from appraiser_ui.words import Language, current

DOLLARS: Final = "$~s"
"""Format of an axis in dollars: `$300k`, in Spanish `US$ 300k`."""

_NUMBERS: Final[dict[Language, dict[str, Any]]] = {
    Language.ENGLISH: {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["$", ""], "minus": MINUS},
    Language.SPANISH: {
        "decimal": ",", "thousands": ".", "grouping": [3], "currency": [f"US${NBSP}", ""], "minus": MINUS
    },
}  # fmt: skip
"""Number formats, as D3 takes them."""


def draw(chart: alt.TopLevelMixin, alt_text: str) -> None:
    """Draw a chart.

    Args:
        chart: Its axes have titles with units; its colours are those of `palette`.
        alt_text: What it shows, for those who do not see it.
    """
    localised = chart.configure(locale=alt.Locale(number=alt.NumberLocale(**_NUMBERS[current()])))
    st.altair_chart(localised, alt=alt_text)
