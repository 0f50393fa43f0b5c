"""Tables whose figures are written as the language does, and sorted as figures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
from pandas.io.formats.style import Styler  # type: ignore[import-untyped]

from appraiser_ui.figures import DASH


def written(rows: Sequence[Mapping[str, Any]], formats: Mapping[str, Callable[[Any], str]]) -> Styler:
    """What `st.dataframe` takes: the values, each column with its way of being written.

    Args:
        rows: Values by column; None shows as a dash.
        formats: How a column is written, such as `money`; the others are shown as they are. A number column of the
            configuration must have no format of its own.
    """
    frame = pd.DataFrame(rows)
    return frame.style.format({name: form for name, form in formats.items() if name in frame}, na_rep=DASH)
