"""A house in one line, so that an answer says which house it is about."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from appraiser_ui.appraise.fields import FormField, form_fields, word
from appraiser_ui.figures import number


def described(listing: Mapping[str, Any]) -> str:
    """What is known of a house: `Bedrooms: 3 · Living area: 1,617 sqft · State: Connecticut`."""
    known = ((name, field.title, listing.get(name)) for name, field in _fields().items())
    return " · ".join(f"{title}: {value_of(name, value)}" for name, title, value in known if value is not None)


def value_of(name: str, value: float | str | None) -> str:
    """The value of a field as people read it, with its unit; `unknown` where it is missing."""
    field = _fields().get(name)
    if field is None:
        return number(value)
    return number(word(value) if field.options and isinstance(value, str) else value, field.unit)


@cache
def _fields() -> dict[str, FormField]:
    return {field.name: field for field in form_fields()}
