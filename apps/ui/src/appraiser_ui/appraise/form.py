"""The form that describes a house."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

import streamlit as st

from appraiser_schema import FieldProblem
from appraiser_ui.appraise.fields import FormField, Kind, form_fields, word
from appraiser_ui.appraise.place import KEEP, Places, choose_city, choose_state, choose_zip_code, key_of
from appraiser_ui.figures import decimal, plain
from appraiser_ui.words import Language, current, say

SECTIONS: Final = (("place", ("place",)), ("size", ("size", "land")), ("sale", ("sale",)))
"""Headings of the form and the groups of fields below them."""

type Listing = dict[str, Any]

_ASKED: Final = "asked"
_PROBLEMS: Final = "problems"

_DATES: Final = {Language.ENGLISH: "MM/DD/YYYY", Language.SPANISH: "DD/MM/YYYY"}


def fill(listing: Mapping[str, Any]) -> None:
    """Fill the form with a house that is asked about at once.

    Args:
        listing: JSON values by field; what is missing is unknown.
    """
    shown = {name: _as_shown(field, listing.get(name)) for name, field in form_fields().items()}
    st.session_state.update({key_of(name, shown): value for name, value in shown.items()})
    st.session_state[_ASKED] = dict(listing)


def asked() -> Listing | None:
    """The house whose appraisal was asked for since the last time, as JSON values by field."""
    house: Listing | None = st.session_state.pop(_ASKED, None)
    if house is not None:
        st.session_state.pop(_PROBLEMS, None)
    return house


def mark(problems: tuple[FieldProblem, ...]) -> None:
    """Let the form say below each field what is wrong with it."""
    st.session_state[_PROBLEMS] = {problem.field.rpartition(".")[2]: problem for problem in problems}


@st.fragment
def show_form(url: str, version: int | None, *, ready: bool) -> None:
    """Draw the form. What changes in it is drawn by itself; the rest of the page follows when the button is pressed.

    Args:
        url: Address of the API.
        version: Version of the model in service, None where there is none.
        ready: Whether there is a model to ask; the button is off without one.
    """
    example = {name: _as_shown(field, field.example) for name, field in form_fields().items()}
    for name, value in example.items():
        st.session_state.setdefault(key_of(name, example), value)
    with st.container(border=True, key="listing-form"):
        values = {name: value for part, groups in SECTIONS for name, value in _section(url, version, part, groups)}
        st.caption(say("appraise.form.empty"))
        if st.button(say("appraise.form.button"), type="primary", width="stretch", disabled=not ready, key="appraise"):
            st.session_state[_ASKED] = {name: _json(values[name]) for name in form_fields()}
            st.rerun()


def _section(url: str, version: int | None, part: str, groups: tuple[str, ...]) -> list[tuple[str, Any]]:
    st.markdown(f"## {say(f'listing.sections.{part}')}")
    if part == "place":
        return _place(Places(url, version))
    fields = [field for field in form_fields().values() if field.group in groups]
    pairs = [fields[start : start + 2] for start in range(0, len(fields), 2)]
    return [value for pair in pairs for value in _row(pair)]


def _place(places: Places) -> list[tuple[str, Any]]:
    state = choose_state(places)
    _problem("state")
    left, right = st.columns(2)
    with left:
        city = choose_city(places, state)
        _problem("city")
    with right:
        zip_code = choose_zip_code(places, state, city)
        _problem("zip_code")
    return [("state", state), ("city", city), ("zip_code", zip_code)]


def _row(fields: list[FormField]) -> list[tuple[str, Any]]:
    drawn = []
    for column, field in zip(st.columns(len(fields)), fields, strict=True):
        with column:
            drawn.append((field.name, _WIDGETS[field.kind](field)))
            _problem(field.name)
    return drawn


def _problem(name: str) -> None:
    """What is wrong with a field, where something is."""
    problem = st.session_state.get(_PROBLEMS, {}).get(name)
    if problem is not None:
        rule = form_fields()[name].rule or problem.rule
        st.error(say("appraise.form.wrong", rule=plain(rule), value=plain(repr(problem.value))))


def _choice(field: FormField) -> str | None:
    return st.selectbox(
        field.label, field.options, key=key_of(field.name, {}), format_func=word, help=field.help, persist_state=KEEP
    )


def _number(field: FormField) -> float | None:
    as_number = int if field.whole else float
    bounds = say("appraise.form.range", low=decimal(field.minimum), high=decimal(field.maximum))
    return st.number_input(
        field.label,
        min_value=as_number(field.minimum),
        max_value=as_number(field.maximum),
        value=None,
        step=as_number(field.step or 1),
        format="%d" if field.whole else "%g",
        key=key_of(field.name, {}),
        help=f"{field.help} {bounds}",
        placeholder=say("frame.unknown"),
        persist_state=KEEP,
    )


def _date(field: FormField) -> dt.date | None:
    return st.date_input(
        field.label,
        value=None,
        min_value=field.minimum,
        max_value=field.maximum,
        key=key_of(field.name, {}),
        help=f"{field.help} {say('appraise.form.never_sold')}",
        format=_DATES[current()],
        persist_state=KEEP,
    )


_WIDGETS: Final[Mapping[Kind, Callable[[FormField], Any]]] = {
    Kind.CHOICE: _choice,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
}


def _as_shown(field: FormField, value: Any) -> Any:
    """A value as its widget takes it: whole numbers without decimals, dates as dates."""
    if value is None:
        return field.options[0] if field.options else None
    if field.kind is Kind.DATE and isinstance(value, str):
        return dt.date.fromisoformat(value)
    return int(value) if field.whole else value


def _json(value: Any) -> Any:
    """A widget's value as the API takes it: dates as text, nothing filled in as null."""
    if isinstance(value, dt.date):
        return value.isoformat()
    return None if isinstance(value, str) and not value.strip() else value
