"""The table of all versions, newest first."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from appraiser_schema import ModelVersion
from appraiser_ui.figures import DASH, in_utc, spans
from appraiser_ui.models.metrics import METRICS, Metric
from appraiser_ui.models.verdicts import verdict, why


def show_versions(models: Sequence[ModelVersion]) -> None:
    """Draw the table.

    Args:
        models: Newest first.
    """
    st.dataframe(
        [_row(model) for model in models],
        hide_index=True,
        column_config=_columns(),
        placeholder=DASH,
        key="versions",
        alt="Every version of the model, newest first, with its test figures and what was decided about it.",
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
    return ", ".join((str(verdict(model)), *model.aliases))


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "version": column.NumberColumn("Version", format="%d", pinned=True, width="small"),
        "verdict": column.TextColumn(
            "Verdict",
            help="What became of the version. The champion is in service; the challenger is the last one that lost.",
        ),
        "trained": column.DatetimeColumn("Trained (UTC)", format="D MMM YYYY, HH:mm"),
        "batches": column.TextColumn("Batches", help="Numbers of the batches that it learned from.", width="small"),
        "rows": column.NumberColumn("Listings", help="How many listings it learned from.", format="localized"),
        **{metric.name: _metric_column(metric) for metric in METRICS},
        "why": column.TextColumn("Why", width="large"),
    }


def _metric_column(metric: Metric) -> Any:
    if metric.unit == "USD":
        return st.column_config.NumberColumn(f"{metric.short} ($)", help=metric.help, format="localized", step=1)
    unit = f" ({metric.unit})" if metric.unit and metric.unit not in metric.short else ""
    return st.column_config.NumberColumn(metric.short + unit, help=metric.help, format=f"%.{metric.decimals}f")
