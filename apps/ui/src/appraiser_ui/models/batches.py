"""The table of batches: what arrived and what became of the rows."""

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from appraiser_schema import Batch, BatchStatus
from appraiser_ui.figures import DASH, in_utc

STATUSES: Final = {
    BatchStatus.LANDED: "Arrived",
    BatchStatus.VALIDATED: "Checked",
    BatchStatus.CLEANED: "Ready",
    BatchStatus.STOPPED: "Stopped",
}


def show_batches(batches: Sequence[Batch]) -> None:
    """Draw the table.

    Args:
        batches: Newest first.
    """
    st.dataframe(
        [_row(batch) for batch in batches],
        hide_index=True,
        column_config=_columns(),
        placeholder=DASH,
        key="batches",
        alt="Every batch, newest first, and how many of its rows went where.",
    )


def _row(batch: Batch) -> dict[str, Any]:
    return {
        "batch": batch.batch_number,
        "status": STATUSES[batch.status],
        "received_at": in_utc(batch.received_at),
        "received": batch.rows_received,
        "quarantined": batch.rows_quarantined,
        "duplicate": batch.rows_duplicate,
        "train": batch.rows_train,
        "validation": batch.rows_validation,
        "test": batch.rows_test,
        "source": batch.source,
        "note": batch.stop_reason or ("Simulated listings" if batch.simulated else ""),
    }


def _columns() -> dict[str, Any]:
    column = st.column_config
    rows = {
        "received": ("Received", "Rows in the batch as it came."),
        "quarantined": ("Quarantined", "Rows that broke a rule; they are kept apart and not used."),
        "duplicate": ("Repeated", "Rows that had been there before, exactly alike; they count once."),
        "train": ("To learn from", "Rows that models learn from."),
        "validation": ("To tune", "Rows that decide when training stops, and how wide the ranges are."),
        "test": ("To test", "Rows that no model ever learns from; the test figures come from them."),
    }
    return {
        "batch": column.NumberColumn("Batch", format="%d", pinned=True, width="small"),
        "status": column.TextColumn("Status", help="How far the batch has come."),
        "received_at": column.DatetimeColumn("Received (UTC)", format="D MMM YYYY, HH:mm"),
        **{name: column.NumberColumn(label, help=text, format="localized") for name, (label, text) in rows.items()},
        "source": column.TextColumn("Source"),
        "note": column.TextColumn("Note", width="medium"),
    }
