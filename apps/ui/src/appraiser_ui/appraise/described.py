"""A house in one line, so that an answer says which house it is about."""

import contextlib
import datetime as dt
from collections.abc import Mapping
from typing import Any

from appraiser_ui.appraise.fields import Kind, form_fields, word
from appraiser_ui.figures import day, number


def described(listing: Mapping[str, Any]) -> str:
    """What is known of a house: `Bedrooms: 3 · Living area: 1,617 sqft · State: Connecticut`."""
    known = ((name, field.title, listing.get(name)) for name, field in form_fields().items())
    return " · ".join(f"{title}: {value_of(name, value)}" for name, title, value in known if value is not None)


def value_of(name: str, value: float | str | None) -> str:
    """The value of a field as people read it, with its unit; `unknown` where it is missing."""
    field = form_fields().get(name)
    if field is None:
        return number(value)
    if isinstance(value, str):
        if field.kind is Kind.DATE:
            with contextlib.suppress(ValueError):
                return day(dt.date.fromisoformat(value))
        return word(value) if field.options else value
    return number(value, field.unit)
