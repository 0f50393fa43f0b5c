"""The form that describes a house."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from appraiser_schema import FieldProblem
from appraiser_ui.appraise.fields import FormField, Kind, form_fields, word
from appraiser_ui.figures import plain

SECTIONS: Final = (("Where it is", ("place",)), ("How big it is", ("size", "land")), ("Its sale", ("sale",)))
"""Headings of the form and the groups of fields below them."""

UNKNOWN: Final = "unknown"
"""What an empty field shows: leaving it empty says that it is not known."""

KEEP: Final = "session"
"""The form keeps what was filled in while another page is looked at."""

Listing = dict[str, Any]


class Form:
    """The form on the page, able to show problems beside the fields that they speak of."""

    def __init__(self) -> None:
        self._fields = form_fields()
        self._below: dict[str, Any] = {}

    def show(self, *, ready: bool) -> Listing | None:
        """Draw the form.

        Args:
            ready: Whether there is a model to ask; the button is off without one.

        Returns:
            The house as JSON values by field when the button was pressed, else None.
        """
        with st.form("listing", border=True):
            values = {name: value for heading, groups in SECTIONS for name, value in self._section(heading, groups)}
            st.caption("Leave a field empty if you do not know it.")
            pressed = st.form_submit_button("Appraise", type="primary", width="stretch", disabled=not ready)
        return {name: _json(values[name]) for name in values} if pressed else None

    def show_problems(self, problems: tuple[FieldProblem, ...]) -> None:
        """Say below each field what is wrong with it; what belongs to no field stands below the form."""
        for problem in problems:
            where = self._below.get(problem.field.rpartition(".")[2])
            text = f"{plain(problem.rule)} (it was {plain(repr(problem.value))})"
            (where or st).error(text if where else f"{plain(problem.field)}: {text}")

    def _section(self, heading: str, groups: tuple[str, ...]) -> list[tuple[str, Any]]:
        st.markdown(f"##### {heading}")
        fields = [field for field in self._fields if field.group in groups]
        pairs = [fields[start : start + 2] for start in range(0, len(fields), 2)]
        return [pair for fields in pairs for pair in self._row(fields)]

    def _row(self, fields: list[FormField]) -> list[tuple[str, Any]]:
        drawn = []
        for column, field in zip(st.columns(len(fields)), fields, strict=True):
            with column:
                drawn.append((field.name, _WIDGETS[field.kind](field)))
                self._below[field.name] = st.empty()
        return drawn


def _key(field: FormField) -> str:
    """Key of the widget, filled with the example once. The widget itself starts empty, so that it can be emptied."""
    key = f"listing-{field.name}"
    whole = field.kind is Kind.NUMBER and _is_whole(field)
    st.session_state.setdefault(key, int(field.example) if whole else field.example)
    return key


def _is_whole(field: FormField) -> bool:
    """Whole steps make whole numbers: a field for bedrooms that shows 3.00 looks like a mistake."""
    return field.step is not None and field.step == int(field.step)


def _choice(field: FormField) -> str | None:
    return st.selectbox(
        field.label, field.options, key=_key(field), format_func=word, help=field.help, persist_state=KEEP
    )


def _number(field: FormField) -> float | None:
    as_number = int if _is_whole(field) else float
    return st.number_input(
        field.label,
        min_value=as_number(field.minimum),
        max_value=as_number(field.maximum),
        value=None,
        step=as_number(field.step or 1),
        format="%d" if as_number is int else "%g",
        key=_key(field),
        help=f"{field.help} From {field.minimum:,} to {field.maximum:,}.",
        placeholder=UNKNOWN,
        persist_state=KEEP,
    )


def _date(field: FormField) -> dt.date | None:
    return st.date_input(
        field.label,
        value=None,
        min_value=field.minimum,
        max_value=field.maximum,
        key=_key(field),
        help=f"{field.help} Empty: not known, or never sold.",
        format="YYYY-MM-DD",
        persist_state=KEEP,
    )


def _text(field: FormField) -> str | None:
    return st.text_input(
        field.label, value=None, key=_key(field), help=field.help, placeholder=UNKNOWN, persist_state=KEEP
    )


_WIDGETS: Final[Mapping[Kind, Any]] = {
    Kind.CHOICE: _choice,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.TEXT: _text,
}


def _json(value: Any) -> Any:
    """A widget's value as the API takes it: dates as text, nothing filled in as null."""
    if isinstance(value, dt.date):
        return value.isoformat()
    return None if isinstance(value, str) and not value.strip() else value
