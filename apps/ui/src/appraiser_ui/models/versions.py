"""The table of all versions, newest first."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from appraiser_schema import ModelVersion
from appraiser_ui.figures import count, in_utc, spans
from appraiser_ui.models.metrics import METRICS
from appraiser_ui.models.verdicts import verdict, why
from appraiser_ui.tables import show_table, written
from appraiser_ui.words import say, say_or


def show_versions(models: Sequence[ModelVersion]) -> None:
    """Draw the table.

    Args:
        models: Newest first.
    """
    formats = {metric.name: metric.text for metric in METRICS} | {"rows": lambda rows: count(int(rows))}
    show_table(
        written([_row(model) for model in models], formats),
        column_config=_columns(),
        key="versions",
        alt=say("models.versions.alt"),
    )


def _row(model: ModelVersion) -> dict[str, Any]:
    return {
        "version": model.version,
        "verdict": _verdict(model),
        "trained": in_utc(model.created_at),
        "batches": spans(model.batches),
        "rows": model.rows_train,
        **{metric.name: model.metrics.get(metric.name) for metric in METRICS},
        "why": why(model),
    }


def _verdict(model: ModelVersion) -> str:
    """The verdict, with the names that the version carries in the registry."""
    names = [say_or(f"models.alias.{alias}", alias) for alias in model.aliases]
    return ", ".join((verdict(model).words, *names))


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "version": column.NumberColumn(say("models.version"), format="%d", pinned=True, width="small"),
        "verdict": column.TextColumn(say("models.versions.verdict"), help=say("models.versions.verdict_help")),
        "trained": column.DatetimeColumn(say("models.versions.trained"), format=say("data.batches.date_format")),
        "batches": column.TextColumn(
            say("models.versions.batches"), help=say("models.versions.batches_help"), width="small"
        ),
        "rows": column.NumberColumn(say("models.versions.rows"), help=say("models.versions.rows_help")),
        **{metric.name: column.NumberColumn(metric.short, help=metric.help) for metric in METRICS},
        "why": column.TextColumn(say("models.versions.why"), width="large"),
    }
