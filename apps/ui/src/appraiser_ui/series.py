"""Series of a chart that are layers of it: each with its name in the legend."""

import json
from collections.abc import Mapping

import altair as alt

from appraiser_ui.palette import INK


def named(chart: alt.Chart, label: str) -> alt.Chart:
    """The chart with a field `series` that holds its name in every row."""
    return chart.transform_calculate(series=json.dumps(label, ensure_ascii=False))


def colour_of(colours: Mapping[str, str]) -> alt.Color:
    """The colour of each series by its name, with a legend where there are several.

    Args:
        colours: Colour by name, in the order of the legend.
    """
    legend = alt.Legend(title=None, orient="top", labelColor=INK, labelLimit=240, symbolOpacity=1)
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color("series:N", scale=scale, legend=legend if len(colours) > 1 else None)
