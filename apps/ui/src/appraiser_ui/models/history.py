"""Who put which version in service, when and why."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from appraiser_schema import ModelVersion, MoveKind, Reign
from appraiser_ui.figures import in_utc
from appraiser_ui.models.verdicts import why
from appraiser_ui.tables import show_table
from appraiser_ui.words import Language, current, say, say_or


def show_history(reigns: Sequence[Reign], models: Sequence[ModelVersion]) -> None:
    """Draw the table.

    Args:
        reigns: Newest first.
        models: Every version, whose decisions say why the pipeline promoted it.
    """
    st.header(say("models.history.title"))
    if not reigns:
        st.markdown(say("models.history.none"))
        return
    known = {model.version: model for model in models}
    column = st.column_config
    form = say("data.batches.date_format")
    show_table(
        [_row(reign, known.get(reign.version)) for reign in reigns],
        column_config={
            "version": column.NumberColumn(say("models.version"), format="%d", pinned=True, width="small"),
            "since": column.DatetimeColumn(say("models.history.since"), format=form),
            "until": column.DatetimeColumn(say("models.history.until"), format=form),
            "how": column.TextColumn(say("models.history.how")),
            "who": column.TextColumn(say("models.history.who")),
            "why": column.TextColumn(say("models.history.why"), width="large"),
        },
        key="history",
        alt=say("models.history.alt"),
    )


def _row(reign: Reign, model: ModelVersion | None) -> dict[str, Any]:
    # What a person wrote stays as it was written; what the pipeline says is said in the language of the page.
    told = reign.kind is MoveKind.PROMOTION and current() is not Language.ENGLISH and model and model.decision
    return {
        "version": reign.version,
        "since": in_utc(reign.since),
        "until": None if reign.until is None else in_utc(reign.until),
        "how": say_or(f"models.history.kind.{reign.kind}", reign.kind),
        "who": reign.who,
        "why": why(model) if told and model else reign.why,
    }
