"""What is asked: requests a second and times to answer, now and over the last minutes."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import altair as alt
import streamlit as st

from appraiser_schema import ServiceState
from appraiser_ui.charts import draw
from appraiser_ui.figures import DASH, NBSP, count, decimal, in_utc, percent
from appraiser_ui.palette import LOWERS, RAISES, WORDS
from appraiser_ui.series import colour_of, named
from appraiser_ui.service.samples import WATCHING, Load, load_between
from appraiser_ui.tables import show_table, written
from appraiser_ui.words import say

WINDOW_SECONDS: Final = 60.0
"""The figures are those of the last minute."""

HEIGHT_PX: Final = 250


def show_traffic(states: Sequence[ServiceState]) -> None:
    """Draw the figures of the last minute, the course, and the routes.

    Args:
        states: The oldest first.
    """
    now, before = states[-1], _a_minute_ago(states)
    load = load_between(before, now) if before is not now else None
    st.header(say("service.traffic.title"))
    with st.container(horizontal=True, gap="medium", key="traffic-figures"):
        for name, text in _figures(load, now).items():
            st.metric(
                say(f"service.traffic.{name}.title"), text, help=say(f"service.traffic.{name}.help"), width="content"
            )
    _courses(states)
    with st.expander(say("service.routes.title")):
        _routes(before, now)


def _a_minute_ago(states: Sequence[ServiceState]) -> ServiceState:
    now = states[-1].at
    return next(state for state in states if (now - state.at).total_seconds() <= WINDOW_SECONDS)


def _figures(load: Load | None, now: ServiceState) -> dict[str, str]:
    return {
        "rate": DASH if load is None else decimal(load.per_second, 1),
        "median": _milliseconds(None if load is None else load.median_ms),
        "slow": _milliseconds(None if load is None else load.slow_ms),
        "failed": DASH if load is None or load.failed is None else percent(load.failed),
        "in_flight": count(now.in_flight),
        "workers": count(now.workers),
    }


def _milliseconds(value: float | None) -> str:
    return DASH if value is None else f"{decimal(value, 1)}{NBSP}ms"


def _courses(states: Sequence[ServiceState]) -> None:
    rows = list(_course(states))
    left, right = st.columns(2, gap="medium")
    with left, st.container(key="course-rate"):
        if len(rows) > 1:
            rate = {say("service.traffic.rate.title"): "per_second"}
            draw(_lines(rows, rate, say("service.traffic.rate.axis")), say("service.traffic.rate.alt"))
        else:
            st.caption(say("service.traffic.wait"))
    with right, st.container(key="course-times"):
        times = {say("service.traffic.median.title"): "median_ms", say("service.traffic.slow.title"): "slow_ms"}
        if any(row["median_ms"] is not None for row in rows) and len(rows) > 1:
            draw(_lines(rows, times, say("service.traffic.times_axis")), say("service.traffic.times_alt"))


def _course(states: Sequence[ServiceState]) -> list[dict[str, Any]]:
    rows = []
    for old, new in pairwise(states):
        load = load_between(old, new)
        if load is not None:
            at = in_utc(new.at).isoformat()
            rows.append({"at": at, "per_second": load.per_second, "median_ms": load.median_ms, "slow_ms": load.slow_ms})
    return rows


def _lines(rows: Sequence[dict[str, Any]], series: dict[str, str], unit: str) -> alt.LayerChart | alt.FacetChart:
    chart = alt.Chart(alt.InlineData(values=list(rows)))
    x = alt.X("at:T", title=say("service.traffic.time_axis"), axis=alt.Axis(format="%H:%M:%S", tickCount=5, **WORDS))
    colour = colour_of(dict(zip(series, (RAISES, LOWERS), strict=False)))
    dashes = ([1, 0], [5, 3])
    lines = [
        named(chart, label)
        .mark_line(point=alt.OverlayMarkDef(size=18), strokeDash=list(dashes[i]))
        .encode(
            x=x,
            y=alt.Y(f"{name}:Q", title=unit, axis=alt.Axis(tickCount=4, **WORDS), scale=alt.Scale(domainMin=0)),
            color=colour,
        )
        for i, (label, name) in enumerate(series.items())
    ]
    return alt.layer(*lines).properties(height=HEIGHT_PX)


def _routes(before: ServiceState, now: ServiceState) -> None:
    rows = []
    for route in sorted(now.routes, key=lambda route: -route.requests):
        load = load_between(before, now, route.route) if before is not now else None
        rows.append(
            {
                "route": route.route + (" ◦" if route.route in WATCHING else ""),
                "requests": route.requests,
                "rate": None if load is None else load.per_second,
                "refused": route.refused,
                "failed": route.failed,
                "mean": route.seconds / route.requests * 1000 if route.requests else None,
            }
        )
    formats = {
        "requests": lambda value: count(int(value)),
        "rate": lambda value: decimal(value, 2),
        "refused": lambda value: count(int(value)),
        "failed": lambda value: count(int(value)),
        "mean": _milliseconds,
    }
    names = ("route", *formats)
    columns: dict[str, Any] = {name: st.column_config.Column(say(f"service.routes.{name}")) for name in names}
    show_table(
        written(rows, formats),
        column_config=columns,
        key="routes",
        alt=say("service.routes.alt"),
    )
    st.caption(say("service.routes.note"))
