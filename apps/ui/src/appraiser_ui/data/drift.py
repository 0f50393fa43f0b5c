"""How a batch is spread over each column, then and now."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import altair as alt
import streamlit as st

from appraiser_schema import BatchDetail, BatchReport, ColumnShift
from appraiser_ui.appraise.fields import word
from appraiser_ui.broken_rules import column_title
from appraiser_ui.charts import draw
from appraiser_ui.figures import DASH, decimal, percent, plain, short_money
from appraiser_ui.palette import LOWERS, NEUTRAL, RAISES, WORDS
from appraiser_ui.series import colour_of, named
from appraiser_ui.words import say

HEIGHT_PX: Final = 320
"""With axes and legend."""

UPRIGHT: Final = 4
"""So many names at most stand side by side below their bars; more of them are slanted."""

WHOLE: Final = 100.0
"""Numbers from here on are told without decimals."""
MONEY: Final = "price"


def show_drift(detail: BatchDetail) -> None:
    """Draw the figures of every column and their distributions."""
    st.markdown(f"### {say('data.drift.title')}")
    report = detail.report
    if report is None or not report.shifts:
        st.markdown(say("data.drift.none"))
        return
    st.markdown(
        say(
            "data.drift.what",
            version=report.champion_version,
            before=plain(decimal(report.rows_before or 0, 0)),
            after=plain(decimal(report.rows_after or 0, 0)),
        )
    )
    st.table([_row(shift) for shift in report.shifts], border="horizontal", hide_index=True)
    _charts(report)
    st.caption(say("data.drift.how"))


def _row(shift: ColumnShift) -> dict[str, str]:
    moved = shift.index > shift.threshold
    return {
        say("data.drift.column"): plain(column_title(shift.column)),
        say("data.drift.index"): plain(decimal(shift.index, 3)),
        say("data.drift.threshold"): plain(decimal(shift.threshold, 3)),
        say("data.drift.moved"): f"▲ {say('frame.yes')}" if moved else say("frame.no"),
    }


def _charts(report: BatchReport) -> None:
    pairs = [report.shifts[start : start + 2] for start in range(0, len(report.shifts), 2)]
    for pair in pairs:
        for column, shift in zip(st.columns(2, gap="medium"), pair, strict=False):
            with column, st.container(key=f"drift-{shift.column}"):
                title = column_title(shift.column)
                st.markdown(f"**{plain(title)}**")
                draw(drift_chart(shift), in_words(shift))


def drift_chart(shift: ColumnShift) -> alt.LayerChart | alt.FacetChart:
    """Bars for the batch, a mark across each for what the champion learned from."""
    rows = list(_bins(shift))
    then, now = say("data.drift.then"), say("data.drift.now")
    order = [row["bin"] for row in rows]
    moved = shift.index > shift.threshold
    chart = alt.Chart(alt.InlineData(values=rows))
    colour = colour_of({now: LOWERS if moved else RAISES, then: NEUTRAL})
    x = alt.X(
        "bin:N",
        sort=order,
        title=_axis_title(shift),
        axis=alt.Axis(labelAngle=0 if len(rows) <= UPRIGHT else -40, labelLimit=120, labelOverlap=False, **WORDS),
    )
    tooltip = [
        alt.Tooltip("bin:N", title=column_title(shift.column)),
        alt.Tooltip("then_text:N", title=then),
        alt.Tooltip("now_text:N", title=now),
    ]
    y = alt.Axis(format="~s", tickCount=4, **WORDS)
    share = alt.Y("now:Q", title=say("data.drift.share"), axis=y)
    bars = named(chart, now).mark_bar().encode(x=x, y=share, tooltip=tooltip, color=colour)
    marks = named(chart, then).mark_tick(thickness=3).encode(x=x, y="then:Q", tooltip=tooltip, color=colour)
    return alt.layer(bars, marks).properties(height=HEIGHT_PX)


def in_words(shift: ColumnShift) -> str:
    """The chart in one sentence, for those who do not see it."""
    bins = list(_bins(shift))
    most = max(bins, key=lambda row: abs(row["now"] - row["then"]))
    return say(
        "data.drift.alt",
        column=column_title(shift.column),
        index=decimal(shift.index, 3),
        bin=most["bin"],
        then=most["then_text"],
        now=most["now_text"],
    )


def _bins(shift: ColumnShift) -> Iterator[dict[str, Any]]:
    for name, before, after in zip(_names(shift), shift.before, shift.after, strict=True):
        if before or after:
            yield {
                "bin": name,
                "then": before * 100,
                "now": after * 100,
                "then_text": percent(before * 100),
                "now_text": percent(after * 100),
            }


def _names(shift: ColumnShift) -> list[str]:
    if shift.values:
        return [*map(word, shift.values), say("data.drift.others"), say("frame.unknown")]
    return [*_ranges(shift.column, shift.edges), say("frame.unknown")]


def _ranges(column: str, edges: Sequence[float]) -> list[str]:
    written = [short_money(edge) if column == MONEY else decimal(edge, 0 if edge >= WHOLE else 2) for edge in edges]
    if not edges:
        return [DASH]
    first = say("data.drift.up_to", figure=written[0])
    between = [_between(low, high, written[i], written[i + 1]) for i, (low, high) in enumerate(_pairs(edges))]
    return [first, *between, say("data.drift.above", figure=written[-1])]


def _pairs(edges: Sequence[float]) -> list[tuple[float, float]]:
    return list(pairwise(edges))


def _between(low: float, high: float, low_text: str, high_text: str) -> str:
    """A bin of whole numbers that holds one of them is called by it: bedrooms."""
    return high_text if high - low == 1 and high == int(high) else f"{low_text} {DASH} {high_text}"


def _axis_title(shift: ColumnShift) -> str:
    unit = {"price": "USD", "acre_lot": "acres", "house_size": "sqft"}.get(shift.column)
    title = column_title(shift.column)
    return f"{title} ({say(f'listing.units.{unit}')})" if unit else title
