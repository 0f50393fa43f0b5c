"""Tables: what is missing is a dash, figures are written as the language does and sorted as figures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
import streamlit as st
from pandas.io.formats.style import Styler  # type: ignore[import-untyped]

from appraiser_ui.figures import DASH


def show_table(rows: Any, **options: Any) -> None:
    """Draw a table without an index, with a dash where there is nothing; otherwise Streamlit writes None.

    Args:
        rows: What `st.dataframe` takes, such as `written` gives.
        options: Of `st.dataframe`: columns, the key, and what the table is called where it is read aloud.
    """
    st.dataframe(rows, hide_index=True, placeholder=DASH, **options)


def written(rows: Sequence[Mapping[str, Any]], formats: Mapping[str, Callable[[Any], str]]) -> Styler:
    """What `show_table` takes: the values, each column with its way of being written.

    Args:
        rows: Values by column; None is nothing.
        formats: How a column is written, such as `money`; the others are shown as they are. A number column of the
            configuration must have no format of its own.
    """
    frame = pd.DataFrame(rows)
    return frame.style.format({name: form for name, form in formats.items() if name in frame}, na_rep=DASH)
