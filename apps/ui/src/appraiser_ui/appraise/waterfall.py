"""The chart of the reasons: from the typical price, step by step, to the price of the house."""

from collections.abc import Sequence
from typing import Any, Final, Literal

import altair as alt

from appraiser_ui.appraise.described import value_of
from appraiser_ui.appraise.steps import Step
from appraiser_ui.charts import DOLLARS
from appraiser_ui.figures import change, money
from appraiser_ui.palette import INK, LOWERS, NEUTRAL, RAISES, WORDS
from appraiser_ui.words import say

ROW_PX: Final = 42
AXIS_PX: Final = 50
LABEL_PX: Final = 250
BAR_PX: Final = 13
"""Height of a row, of the axis with its title, longest label, height of the bar in a row.

The words stand above the bar, so that a narrow screen cuts nothing off.
"""

BELOW_PX: Final = 9
"""From the middle of a row down to the middle of its bar."""

_IS_TOTAL: Final = "datum.kind === 'total'"
_IS_STEP: Final = "datum.kind !== 'total'"


def waterfall(base_usd: int, steps: Sequence[Step], price_usd: int) -> alt.LayerChart | alt.FacetChart:
    """Draw the steps.

    Args:
        base_usd: Where it starts, whole dollars.
        steps: What leads from the base to the price.
        price_usd: Where it ends.
    """
    rows = _rows(base_usd, steps, price_usd)
    data = alt.InlineData(values=rows)
    x = alt.X("low:Q", title=say("appraise.why.axis"), scale=_scale(rows), axis=_axis())
    y = alt.Y("row:O", axis=None, sort=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    chart = alt.Chart(data).encode(y=y)
    steps_only, totals_only = chart.transform_filter(_IS_STEP), chart.transform_filter(_IS_TOTAL)
    return alt.layer(
        chart.transform_filter("datum.next !== null")
        .mark_rule(color=NEUTRAL, opacity=0.6, strokeDash=[2, 2], yOffset=BELOW_PX)
        .encode(x="end:Q", y2="next:O"),
        steps_only.mark_bar(size=BAR_PX, yOffset=BELOW_PX, cornerRadius=2).encode(
            x=x, x2="high:Q", color=_colour(), tooltip=_tooltip()
        ),
        totals_only.mark_tick(thickness=5, size=BAR_PX + 5, yOffset=BELOW_PX, color=NEUTRAL).encode(
            x=x, tooltip=_tooltip()
        ),
        *_words(steps_only, "normal"),
        *_words(totals_only, "bold"),
    ).properties(height=ROW_PX * len(rows) + AXIS_PX)


def _words(chart: alt.Chart, weight: Literal["normal", "bold"]) -> tuple[alt.Chart, alt.Chart]:
    """The reason on the left and its dollars on the right, above the bar."""
    return (
        chart.mark_text(align="left", dy=-8, fontSize=13, fontWeight=weight, color=INK, limit=LABEL_PX).encode(
            x=alt.value(0), text="label:N"
        ),
        chart.mark_text(align="right", dy=-8, fontSize=13, fontWeight=weight, color=INK).encode(
            x=alt.value("width"), text="effect:N"
        ),
    )


def in_words(base_usd: int, steps: Sequence[Step], price_usd: int) -> str:
    """The chart in one sentence, for those who do not see it; the table below it has every figure."""
    ends = {"base": money(base_usd), "price": money(price_usd)}
    if not steps:
        return say("appraise.why.alt", **ends)
    return say("appraise.why.alt_most", what=steps[0].label, change=change(steps[0].effect_usd), **ends)


def _rows(base_usd: int, steps: Sequence[Step], price_usd: int) -> list[dict[str, Any]]:
    totals = [_total(say("frame.typical_house"), base_usd), _total(say("frame.this_house"), price_usd)]
    rows = [totals[0], *(_step(step) for step in steps), totals[1]]
    return [row | {"row": n, "next": n + 1 if n + 1 < len(rows) else None} for n, row in enumerate(rows)]


def _total(label: str, usd: int) -> dict[str, Any]:
    return {"label": label, "kind": "total", "low": usd, "high": usd, "end": usd, "effect": money(usd)}


def _step(step: Step) -> dict[str, Any]:
    return {
        "label": _label(step),
        "kind": "raises" if step.effect_usd >= 0 else "lowers",
        "low": min(step.start_usd, step.end_usd),
        "high": max(step.start_usd, step.end_usd),
        "end": step.end_usd,
        "effect": change(step.effect_usd),
    }


def _label(step: Step) -> str:
    """What the step is about, with what the house has."""
    if len(step.reasons) > 1:
        return step.label
    return f"{step.label}: {value_of(step.reasons[0].feature, step.reasons[0].value)}"


def _scale(rows: Sequence[dict[str, Any]]) -> alt.Scale:
    """The span of the steps with a little air. It need not start at zero: lengths are effects, totals are positions."""
    low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
    air = max(0.03 * (high - low), 500)
    return alt.Scale(domain=[low - air, high + air], nice=False, zero=False)


def _axis() -> alt.Axis:
    return alt.Axis(format=DOLLARS, tickCount=4, labelFlush=True, grid=False, **WORDS)


def _colour() -> alt.Color:
    scale = alt.Scale(domain=["raises", "lowers"], range=[RAISES, LOWERS])
    return alt.Color("kind:N", scale=scale, legend=None)


def _tooltip() -> list[alt.Tooltip]:
    titles = say("appraise.why.reason"), say("frame.us_dollars")
    return [alt.Tooltip(field, title=title) for field, title in zip(("label:N", "effect:N"), titles, strict=True)]
