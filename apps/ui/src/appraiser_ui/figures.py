"""Figures and texts as people read them."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final

MINUS: Final = "\N{MINUS SIGN}"
DASH: Final = "\N{EN DASH}"
"""What stands where a figure is missing."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|$~:^=])")


def plain(text: str) -> str:
    """A text that Markdown shows as it is: no formulas between dollar signs, no links, no emphasis."""
    return _MARKDOWN.sub(r"\\\1", text)


def money(usd: float) -> str:
    """Whole dollars: `$312,400`, with a true minus sign below zero."""
    return f"{MINUS if round(usd) < 0 else ''}${abs(round(usd)):,}"


def change(usd: float) -> str:
    """Whole dollars with their sign: `+$12,000`, `-$3,500` with a true minus sign, `±$0`."""
    return f"{'+' if round(usd) > 0 else MINUS if round(usd) < 0 else '±'}${abs(round(usd)):,}"


def count(rows: int | None) -> str:
    """A number of things with thousands separated; a dash where it is not known yet."""
    return DASH if rows is None else f"{rows:,}"


def moment(instant: dt.datetime) -> str:
    """Day and minute in UTC: `24 Nov 2026, 21:58 UTC`."""
    return f"{day(instant)}, {instant.astimezone(dt.UTC):%H:%M} UTC"


def in_utc(instant: dt.datetime) -> dt.datetime:
    """The instant as tables take it: in UTC and without a zone, since their columns say that it is UTC."""
    return instant.astimezone(dt.UTC).replace(tzinfo=None)


def day(instant: dt.datetime) -> str:
    """Day in UTC: `24 Nov 2026`."""
    utc = instant.astimezone(dt.UTC)
    return f"{utc.day} {utc:%b %Y}"


def number(value: float | str | None, unit: str = "") -> str:
    """A value of a house with its unit, at most two decimals; `unknown` where it is missing."""
    if value is None:
        return "unknown"
    text = value if isinstance(value, str) else f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{text} {unit}".strip()


def spans(numbers: Sequence[int]) -> str:
    """Numbers in ascending order with runs drawn together: `0 to 4, 7`."""
    runs: list[list[int]] = []
    for value in sorted(set(numbers)):
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
