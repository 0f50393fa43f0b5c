"""Charts of two versions: parts of the market that moved, effects of features, coverage of the range."""

import re
from collections.abc import Sequence
from itertools import cycle
from typing import Any, Final

import altair as alt

from appraiser_schema import CoverageBin, FeatureEffect, ModelReport
from appraiser_ui.figures import DASH, count, decimal, money, percent, short_money
from appraiser_ui.models.pairs import Part
from appraiser_ui.palette import INK, LOWERS, NEUTRAL, RAISES, RAMP, WORDS
from appraiser_ui.series import colour_of, named
from appraiser_ui.words import say, say_or

PRICE_BAND: Final = "price_band"
UNDER: Final = "below"
"""How the ledger begins the name of the cheapest band."""

PARTS_SHOWN: Final = 12
FEATURES_SHOWN: Final = 10
CHANGES_SHOWN: Final = 12
ROW_PX: Final = 28
JITTER: Final = (0, 2, -2, 4, -4, 1, -1, 3, -3, 5, -5)
"""Points of a row stand a little above and below each other, or they would hide one another. [px]"""


def part_title(part: Part) -> str:
    """A part of the market as people read it: a state, a batch, or a span of prices."""
    if part.kind != PRICE_BAND:
        return say(f"models.parts.{part.kind}", name=part.name)
    ends = [short_money(float(figure.replace(",", ""))) for figure in re.findall(r"[\d,]*\d", part.name)]
    if len(ends) > 1:
        return say("models.parts.between", low=ends[0], high=ends[1])
    return say(
        f"models.parts.{'under' if part.name.startswith(UNDER) else 'from'}", figure=ends[0] if ends else part.name
    )


def feature_title(feature: FeatureEffect) -> str:
    """What a feature is called."""
    return say_or(f"models.feature.{feature.feature}", feature.label)


def parts_chart(parts: Sequence[Part]) -> alt.LayerChart | alt.FacetChart:
    """How much more the other version errs than the one in service, by part of the market: the worst and the best.

    Args:
        parts: The worst first.
    """
    half = PARTS_SHOWN // 2
    shown = list(parts) if len(parts) <= PARTS_SHOWN else [*parts[:half], *parts[-half:]]
    rows = [
        {
            "part": f"{part_title(part)} ({count(part.rows)})",
            "change": part.change,
            "text": percent(part.change),
            "champion": money(part.champion_usd),
            "other": money(part.other_usd),
        }
        for part in shown
    ]
    chart = alt.Chart(alt.InlineData(values=rows))
    y = alt.Y("part:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, labelOverlap=False, **WORDS))
    bars = chart.mark_bar(size=14).encode(
        x=alt.X("change:Q", title=say("models.compare.parts_axis"), axis=_effects_axis()),
        y=y,
        color=alt.condition("datum.change > 0", alt.value(LOWERS), alt.value(RAISES)),
        tooltip=[
            alt.Tooltip("part:N", title=say("models.compare.part")),
            alt.Tooltip("text:N", title=say("models.compare.difference")),
            alt.Tooltip("champion:N", title=say("models.compare.champion")),
            alt.Tooltip("other:N", title=say("models.compare.other")),
        ],
    )
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(color=NEUTRAL).encode(x="zero:Q")
    return alt.layer(zero, bars).properties(height=ROW_PX * len(rows) + 50)


def effects_chart(report: ModelReport, names: Sequence[str]) -> alt.LayerChart | alt.FacetChart:
    """SHAP values of test listings, a point each: right raises the price, the colour is how high the value is.

    Args:
        report: Of one version.
        names: Features to show, from above.
    """
    known = {feature.feature: feature for feature in report.features}
    shown = [known[name] for name in names if name in known and known[name].effects_percent]
    rows = [row for feature in shown for row in _points(feature)]
    chart = alt.Chart(alt.InlineData(values=rows))
    order = [feature_title(feature) for feature in shown]
    colour = alt.Color(
        "rank:Q",
        title=say("models.compare.value"),
        scale=alt.Scale(range=list(RAMP), domain=[0, 1]),
        legend=alt.Legend(
            orient="bottom", labelColor=INK, titleColor=INK, gradientLength=160, values=[0, 1],
            labelExpr=f"datum.value < 0.5 ? '{say('models.compare.low')}' : '{say('models.compare.high')}'",
        ),
    )  # fmt: skip
    points = chart.mark_circle(size=22, opacity=0.85, stroke=NEUTRAL, strokeWidth=0.3).encode(
        x=alt.X("effect:Q", title=say("models.compare.effect_axis"), axis=_effects_axis()),
        y=alt.Y("feature:N", sort=order, title=None, axis=alt.Axis(labelLimit=220, labelOverlap=False, **WORDS)),
        yOffset=alt.YOffset("apart:Q", scale=alt.Scale(domain=[-12, 12])),
        color=alt.condition("isValid(datum.rank)", colour, alt.value(NEUTRAL)),
        tooltip=[alt.Tooltip("feature:N", title=say("models.compare.feature")), alt.Tooltip("text:N", title=" ")],
    )
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(color=NEUTRAL).encode(x="zero:Q")
    return alt.layer(zero, points).properties(height=30 * len(shown) + 90)


def importance_chart(champion: ModelReport, other: ModelReport) -> alt.LayerChart | alt.FacetChart:
    """Mean size of the effect of each feature in both versions; those that changed most."""
    ours = {feature.feature: feature for feature in champion.features}
    theirs = {feature.feature: feature for feature in other.features}
    names = sorted(set(ours) & set(theirs), key=lambda name: -abs(theirs[name].mean_percent - ours[name].mean_percent))
    rows = [
        {
            "feature": feature_title(theirs[name]),
            "champion": ours[name].mean_percent,
            "other": theirs[name].mean_percent,
            "champion_text": percent(ours[name].mean_percent),
            "other_text": percent(theirs[name].mean_percent),
        }
        for name in names[:CHANGES_SHOWN]
    ]
    chart = alt.Chart(alt.InlineData(values=rows))
    labels = [say("models.compare.champion"), say("models.compare.other")]
    colour = colour_of(dict(zip(labels, (NEUTRAL, RAISES), strict=True)))
    y = alt.Y("feature:N", sort=None, title=None, axis=alt.Axis(labelLimit=220, labelOverlap=False, **WORDS))
    x = alt.X("champion:Q", title=say("models.compare.importance_axis"), axis=_effects_axis())
    tooltip = [
        alt.Tooltip("feature:N", title=say("models.compare.feature")),
        alt.Tooltip("champion_text:N", title=labels[0]),
        alt.Tooltip("other_text:N", title=labels[1]),
    ]
    return alt.layer(
        chart.mark_rule(color=NEUTRAL, strokeWidth=2).encode(x=x, x2="other:Q", y=y),
        named(chart, labels[0])
        .mark_point(size=70, filled=True, opacity=1)
        .encode(x=x, y=y, color=colour, tooltip=tooltip),
        named(chart, labels[1])
        .mark_point(size=90, filled=True, opacity=1, shape="diamond")
        .encode(x="other:Q", y=y, color=colour, tooltip=tooltip),
    ).properties(height=ROW_PX * len(rows) + 60)


def coverage_chart(reports: Sequence[tuple[str, ModelReport]]) -> alt.LayerChart | alt.FacetChart:
    """How often the price lay inside the range, by appraisal, with the share that the range states.

    Args:
        reports: Name and report of each version; the first in grey.
    """
    colour = colour_of(dict(zip((name for name, _ in reports), (RAISES, LOWERS), strict=False)))
    layers: list[Any] = []
    for (name, report), shape in zip(reports, cycle(("circle", "diamond"))):
        chart = named(alt.Chart(alt.InlineData(values=[_bin(part) for part in report.coverage])), name)
        x = alt.X(
            "appraised:Q",
            title=say("models.compare.appraised_axis"),
            scale=alt.Scale(type="log", nice=False),
            axis=alt.Axis(format="$~s", tickCount=5, **WORDS),
        )
        y = alt.Y(
            "inside:Q",
            title=say("models.compare.inside_axis"),
            scale=alt.Scale(zero=False),
            axis=alt.Axis(tickCount=5, **WORDS),
        )
        tooltip = [
            alt.Tooltip("text:N", title=say("models.compare.appraised")),
            alt.Tooltip("inside_text:N", title=say("models.compare.inside")),
            alt.Tooltip("width_text:N", title=say("models.compare.width")),
        ]
        layers += [
            chart.mark_rule(strokeWidth=1.5).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour),
            chart.mark_point(size=80, filled=True, opacity=1, shape=shape).encode(
                x=x, y=y, color=colour, tooltip=tooltip
            ),
        ]
    stated = alt.Chart(alt.InlineData(values=[{"stated": reports[0][1].stated_coverage}]))
    line = stated.mark_rule(color=INK, strokeDash=[5, 3]).encode(y="stated:Q")
    return alt.layer(line, *layers).properties(height=280)


def _effects_axis() -> alt.Axis:
    """Its title ends where the axis does: long names beside the rows leave it little room on a telephone."""
    return alt.Axis(tickCount=5, titleAnchor="end", **WORDS)


def _points(feature: FeatureEffect) -> list[dict[str, Any]]:
    title = feature_title(feature)
    return [
        {"feature": title, "effect": effect, "rank": rank, "apart": apart, "text": percent(effect)}
        for effect, rank, apart in zip(feature.effects_percent, feature.ranks, cycle(JITTER))
    ]


def _bin(part: CoverageBin) -> dict[str, Any]:
    return {
        "appraised": part.appraised_usd,
        "inside": part.inside,
        "low": part.low,
        "high": part.high,
        "text": short_money(part.appraised_usd),
        "inside_text": f"{percent(part.inside)} ({decimal(part.low, 1)} {DASH} {decimal(part.high, 1)})",
        "width_text": percent(part.width),
    }
