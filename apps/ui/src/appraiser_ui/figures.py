"""Figures and texts as people read them, in the language that is spoken."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_compact_currency, format_currency, format_decimal

from appraiser_ui.words import LOCALES, Language, current, say

MINUS: Final = "\N{MINUS SIGN}"
DASH: Final = "\N{EN DASH}"
"""What stands where a figure is missing."""

NBSP: Final = "\N{NO-BREAK SPACE}"

_DAYS: Final = {Language.ENGLISH: "MMM d, y", Language.SPANISH: "d MMM y"}
_MOMENTS: Final = {Language.ENGLISH: "MMM d, y, HH:mm 'UTC'", Language.SPANISH: "d MMM y, HH:mm 'UTC'"}
_MONEY: Final = {Language.ENGLISH: "¤#,##0", Language.SPANISH: f"¤{NBSP}#,##0"}
"""Patterns of Unicode CLDR, with the space that Spanish puts between currency and amount."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|$~:^=])")


def plain(text: str) -> str:
    """A text that Markdown shows as it is: no formulas between dollar signs, no links, no emphasis."""
    return _MARKDOWN.sub(r"\\\1", text)


def _locale() -> Locale:
    return LOCALES[current()]


def money(usd: float) -> str:
    """Whole dollars: `$312,400`, in Spanish `US$ 312.400`, with a true minus sign below zero."""
    text = format_currency(abs(round(usd)), "USD", _MONEY[current()], locale=_locale(), currency_digits=False)
    return f"{MINUS if round(usd) < 0 else ''}{text}"


def short_money(usd: float) -> str:
    """Dollars in few characters, for charts: `$312K`, in Spanish `US$ 312 k`."""
    thousands, millions = abs(usd) >= 1e3, abs(usd) >= 1e6
    if current() is Language.ENGLISH:
        text = format_compact_currency(abs(usd), "USD", locale=_locale(), fraction_digits=int(millions))
    else:
        # CLDR writes thousands of dollars out in Spanish, which fits into no chart.
        size, letter = (1e6, "M") if millions else (1e3, "k") if thousands else (1, "")
        text = f"US${NBSP}{decimal(abs(usd) / size, int(millions))}{NBSP if letter else ''}{letter}"
    return f"{MINUS if usd < 0 else ''}{text}"


def change(usd: float) -> str:
    """Whole dollars with their sign: `+$12,000`, `-$3,500` with a true minus sign, `±$0`."""
    return f"{'+' if round(usd) > 0 else MINUS if round(usd) < 0 else '±'}{money(abs(round(usd)))}"


def count(rows: int | None) -> str:
    """A number of things with thousands separated; a dash where it is not known yet."""
    return DASH if rows is None else format_decimal(rows, locale=_locale())


def decimal(value: float, most: int = 2, least: int = 0) -> str:
    """A number with at most and at least so many decimals, and a true minus sign."""
    pattern = "#,##0." + "0" * least + "#" * (most - least) if most else "#,##0"
    return str(format_decimal(value, pattern, locale=_locale())).replace("-", MINUS)


def percent(value: float, most: int = 1, least: int = 0) -> str:
    """A number of percent, not a share: `3.4 %` of 3.4, with a space that no line breaks at."""
    return f"{decimal(value, most, least)}{NBSP}%"


def moment(instant: dt.datetime) -> str:
    """Day and minute in UTC: `Nov 24, 2026, 21:58 UTC`, in Spanish `24 nov 2026, 21:58 UTC`."""
    return str(format_datetime(instant.astimezone(dt.UTC), _MOMENTS[current()], locale=_locale()))


def in_utc(instant: dt.datetime) -> dt.datetime:
    """The instant as tables take it: in UTC and without a zone, since their columns say that it is UTC."""
    return instant.astimezone(dt.UTC).replace(tzinfo=None)


def day(date: dt.date) -> str:
    """A day, of an instant in UTC: `Nov 24, 2026`, in Spanish `24 nov 2026`."""
    known = date.astimezone(dt.UTC) if isinstance(date, dt.datetime) else date
    return str(format_date(known, _DAYS[current()], locale=_locale()))


def number(value: float | str | None, unit: str = "") -> str:
    """A value of a house with its unit, at most two decimals; `unknown` where it is missing."""
    if value is None:
        return say("frame.unknown")
    text = value if isinstance(value, str) else decimal(value)
    return f"{text} {unit}".strip()


def spans(numbers: Sequence[int]) -> str:
    """Numbers in ascending order with runs drawn together: `0 to 4, 7`."""
    runs: list[list[int]] = []
    for value in sorted(set(numbers)):
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(_run(run) for run in runs)


def _run(run: Sequence[int]) -> str:
    if len(run) > 2:
        return say("frame.run", first=run[0], last=run[-1])
    return ", ".join(map(str, run))
