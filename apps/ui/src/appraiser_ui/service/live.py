"""How appraisals compare with what houses sold for, by version, and what waits for the ledger."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from appraiser_schema import Backlog, LiveError
from appraiser_ui.figures import NBSP, count, decimal, in_utc, percent
from appraiser_ui.tables import show_table, written
from appraiser_ui.words import say


def show_live_errors(errors: Sequence[LiveError]) -> None:
    """Draw the table of the live error of each version.

    Args:
        errors: The newest version first.
    """
    st.header(say("service.live.title"))
    if not errors:
        st.markdown(say("service.live.none"))
        return
    formats = {
        "n": lambda value: count(int(value)),
        "mdape": percent,
        "ppe10": percent,
        "median_ratio": lambda value: decimal(value, 3, 3),
        "coverage": percent,
    }
    rows = [
        {
            "version": error.model_version,
            **{name: getattr(error, name) for name in formats},
            "since": in_utc(error.since),
        }
        for error in errors
    ]
    column = st.column_config
    columns: dict[str, Any] = {
        "version": column.NumberColumn(say("service.live.version"), format="%d", pinned=True),
        **{
            name: column.NumberColumn(say(f"service.live.{name}.title"), help=say(f"service.live.{name}.help"))
            for name in formats
        },
        "since": column.DatetimeColumn(say("service.live.since"), format=say("data.batches.date_format")),
    }
    show_table(
        written(rows, formats),
        column_config=columns,
        key="live-errors",
        alt=say("service.live.alt"),
    )
    st.caption(say("service.live.note"))


def show_backlog(backlog: Backlog) -> None:
    """Draw what waits for the ledger, and what went wrong with it."""
    st.header(say("service.backlog.title"))
    with st.container(horizontal=True, gap="medium", key="backlog"):
        figures = {
            "records": count(backlog.records),
            "size": f"{decimal(backlog.size_bytes / 1024, 1)}{NBSP}KiB",
            "age": f"{decimal(backlog.age_seconds, 1)}{NBSP}s",
            "shipped": count(backlog.shipped),
            "failures": count(sum(backlog.failures.values())),
        }
        for name, text in figures.items():
            st.metric(
                say(f"service.backlog.{name}.title"), text, help=say(f"service.backlog.{name}.help"), width="content"
            )
    failed = {reason: times for reason, times in backlog.failures.items() if times}
    for reason, times in failed.items():
        st.warning(say(f"service.backlog.reasons.{reason}", count=times), icon=":material/warning:")
