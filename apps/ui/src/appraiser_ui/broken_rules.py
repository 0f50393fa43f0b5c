"""What a column must be, in words: out of the rules by which rows are refused."""

import datetime as dt
import re
from contextlib import suppress
from typing import Final

from appraiser_ui.appraise.fields import form_fields
from appraiser_ui.figures import DASH, day, decimal
from appraiser_ui.words import say, say_or

_RULES: Final = (
    ("length", re.compile(r"at most ([\d.]+) characters")),
    ("least", re.compile(r"at least (-?[\d.-]+)")),
    ("most", re.compile(r"at most (-?[\d.-]+)")),
    ("zip", re.compile(r"a whole number from 1 to 99999")),
    ("zip", re.compile(r"of the form (.+)")),
    ("state", re.compile(r"one of .+ \(\d+ in all\)")),
    ("one_of", re.compile(r"one of (.+)")),
    ("date", re.compile(r"a date written as YYYY-MM-DD")),
    ("past", re.compile(r"not after the day the batch was received, (.+)")),
    ("plain_number", re.compile(r"a number without .+")),
    ("number", re.compile(r"a number|a finite number")),
    ("known", re.compile(r"known")),
)
"""The rules of `appraiser_schema.frames`, each with the figure that is told of it."""


def must_be(rule: str) -> str:
    """What a value must be; a rule that the page does not know in its own words."""
    for name, pattern in _RULES:
        if found := pattern.fullmatch(rule):
            figure = found[1] if found.groups() else ""
            return say(f"rules.{name}", figure=_written(figure))
    return rule


def column_title(column: str) -> str:
    """What a column is called."""
    field = form_fields().get(column)
    return field.title if field else say_or(f"rules.columns.{column}", column)


def shown_value(value: str | None) -> str:
    """A value as it stood in the file; an empty cell in a word."""
    return say("rules.empty") if value is None or not value.strip() else value


def _written(figure: str) -> str:
    """A number or a day as the language writes it; anything else as it is."""
    with suppress(ValueError):
        return decimal(float(figure)) if figure else DASH
    with suppress(ValueError):
        return day(dt.date.fromisoformat(figure))
    return figure
