"""The chart of a test figure from version to version."""

from collections.abc import Sequence
from typing import Final

import altair as alt

from appraiser_schema import ModelVersion
from appraiser_ui.figures import moment
from appraiser_ui.models.metrics import Metric
from appraiser_ui.models.verdicts import Verdict, verdict
from appraiser_ui.palette import INK, LOWERS, NEUTRAL, RAISES, WORDS
from appraiser_ui.words import say

LOOKS: Final = {
    Verdict.IN_SERVICE: (RAISES, "diamond"),
    Verdict.REPLACED: (RAISES, "circle"),
    Verdict.REJECTED: (LOWERS, "cross"),
    Verdict.OVERRULED: (LOWERS, "circle"),
    Verdict.TRIED: (NEUTRAL, "triangle-up"),
    Verdict.OPEN: (NEUTRAL, "square"),
}
"""Colour and shape of a point: the shape tells the verdicts apart without the colour."""


def timeline(models: Sequence[ModelVersion], metric: Metric) -> alt.LayerChart | alt.FacetChart:
    """Draw the figure of every version that has it, oldest first."""
    rows = [
        {
            "version": model.version,
            "value": model.metrics[metric.name],
            "text": metric.text(model.metrics[metric.name]),
            "verdict": verdict(model).words,
            "when": moment(model.created_at),
        }
        for model in sorted(models, key=lambda model: model.version)
        if metric.name in model.metrics
    ]
    seen = [look for look in LOOKS if any(row["verdict"] == look.words for row in rows)]
    domain = [look.words for look in seen]
    legend = alt.Legend(title=None, orient="top", columns=2, symbolSize=110, labelColor=INK, labelLimit=220)
    chart = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("version:O", title=say("models.version"), axis=alt.Axis(labelAngle=0, labelOverlap=True, **WORDS)),
        y=alt.Y(
            "value:Q", title=metric.axis, scale=alt.Scale(zero=False, padding=12), axis=alt.Axis(tickCount=5, **WORDS)
        ),
    )
    points = chart.mark_point(size=130, filled=True, opacity=1).encode(
        color=alt.Color(
            "verdict:N", scale=alt.Scale(domain=domain, range=[LOOKS[look][0] for look in seen]), legend=legend
        ),
        shape=alt.Shape(
            "verdict:N", scale=alt.Scale(domain=domain, range=[LOOKS[look][1] for look in seen]), legend=legend
        ),
        tooltip=[
            alt.Tooltip("version:O", title=say("models.version")),
            alt.Tooltip("text:N", title=metric.short),
            alt.Tooltip("verdict:N", title=say("models.versions.verdict")),
            alt.Tooltip("when:N", title=say("models.versions.trained")),
        ],
    )
    return alt.layer(chart.mark_line(color=NEUTRAL, strokeWidth=1.5), points).properties(height=280)
