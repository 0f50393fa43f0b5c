"""The table of batches: what arrived and what became of the rows."""

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from appraiser_schema import Batch
from appraiser_ui.figures import DASH, count, in_utc
from appraiser_ui.tables import show_table, written
from appraiser_ui.words import say

COUNTS: Final = {
    "received": "rows_received",
    "quarantined": "rows_quarantined",
    "duplicate": "rows_duplicate",
    "train": "rows_train",
    "validation": "rows_validation",
    "test": "rows_test",
}
"""Columns of counts and the fields that they show."""


def show_batches(batches: Sequence[Batch]) -> None:
    """Draw the table.

    Args:
        batches: Newest first.
    """
    show_table(
        written([_row(batch) for batch in batches], dict.fromkeys(COUNTS, _count)),
        column_config=_columns(),
        key="batches",
        alt=say("data.batches.alt"),
    )


def _count(rows: float | None) -> str:
    return DASH if rows is None else count(int(rows))


def _row(batch: Batch) -> dict[str, Any]:
    return {
        "batch": batch.batch_number,
        "status": say(f"data.status.{batch.status}"),
        "received_at": in_utc(batch.received_at),
        **{name: getattr(batch, field) for name, field in COUNTS.items()},
        "source": batch.source,
        "note": batch.stop_reason or (say("data.batches.simulated") if batch.simulated else ""),
    }


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "batch": column.NumberColumn(say("data.batches.batch"), format="%d", pinned=True, width="small"),
        "status": column.TextColumn(say("data.batches.status"), help=say("data.batches.status_help")),
        "received_at": column.DatetimeColumn(say("data.batches.received_at"), format=say("data.batches.date_format")),
        **{
            name: column.NumberColumn(say(f"data.rows.{name}.title"), help=say(f"data.rows.{name}.help"))
            for name in COUNTS
        },
        "source": column.TextColumn(say("data.batches.source")),
        "note": column.TextColumn(say("data.batches.note"), width="medium"),
    }
