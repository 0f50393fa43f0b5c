"""The link to a house: its fields as query parameters, which open the page with the same house."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import streamlit as st

from appraiser_ui.appraise.fields import FormField, Kind, form_fields
from appraiser_ui.words import say

LONGEST: Final = 100
"""Characters of a text in a link."""


def listing_of(parameters: Mapping[str, str]) -> dict[str, Any] | None:
    """The house that an address describes, as JSON values by field; None where it describes none.

    What cannot be read, or lies outside of what the form takes, counts as unknown.
    """
    fields = form_fields()
    if "state" not in parameters:
        return None
    listing = {name: _value(field, parameters.get(name)) for name, field in fields.items()}
    return None if listing["state"] is None else listing | {"status": listing["status"] or fields["status"].example}


def parameters_of(listing: Mapping[str, Any]) -> dict[str, str]:
    """The query parameters of a house; what is unknown is left out."""
    return {name: _text(listing[name]) for name in form_fields() if listing.get(name) is not None}


def keep_in_address(listing: Mapping[str, Any]) -> None:
    """Let the address of the page be the link to a house."""
    others = {name: value for name, value in st.query_params.to_dict().items() if name not in form_fields()}
    wanted = others | parameters_of(listing)
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def show_link(listing: Mapping[str, Any]) -> None:
    """Offer the link for copying."""
    with st.popover(say("appraise.link.title"), icon=":material/link:", help=say("appraise.link.help")):
        address = (st.context.url or "").partition("?")[0]
        st.code(f"{address}?{urlencode(parameters_of(listing))}", language=None, wrap_lines=True)


def _value(field: FormField, text: str | None) -> Any:
    if not text:
        return None
    try:
        match field.kind:
            case Kind.NUMBER:
                number = float(text)
                return number if field.minimum <= number <= field.maximum else None
            case Kind.DATE:
                date = dt.date.fromisoformat(text)
                return date.isoformat() if field.minimum <= date <= field.maximum else None
            case Kind.CHOICE:
                return text if text in field.options else None
            case _:
                return text[:LONGEST]
    except ValueError:
        return None


def _text(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, int | float) else str(value)
