"""Reasons and warnings in sentences, said from their figures."""

from typing import Final

from appraiser_schema import Caution, CautionCode, Contribution
from appraiser_ui.appraise.described import value_of
from appraiser_ui.appraise.fields import form_fields
from appraiser_ui.figures import count, decimal, money
from appraiser_ui.words import has, say, say_or

NEGLIGIBLE_USD: Final = 50.0
"""Less than this is told as no difference, as the API does."""


def reason(contribution: Contribution) -> str:
    """What a field of the house adds: `The zip code 06016 adds $41,000 against a typical house.`.

    A field that the page does not know is told in the words of the API.
    """
    field, effect, typical = contribution.feature, contribution.effect_usd, contribution.typical
    if not has(f"appraise.subject.{field}"):
        return contribution.text
    subject = _subject(field, contribution.value)
    if abs(effect) < NEGLIGIBLE_USD:
        return say("appraise.reason.nothing", subject=subject)
    differs = isinstance(typical, float) and contribution.value != typical
    values = {"subject": subject, "dollars": money(_rounded(abs(effect)))}
    if differs:
        values["typical"] = _with_unit(field, typical)
    return say(f"appraise.reason.{'adds' if effect > 0 else 'takes'}{'_typical' if differs else ''}", **values)


def caution(found: Caution) -> str:
    """In what the house is unlike the training data; in the words of the API where the page does not know it."""
    values = {"place": found.place, "around": found.around, "figure": count(round(found.figure or 0))}
    if found.span and found.code is CautionCode.PRICE_AT_EDGE:
        values |= {"low": money(found.span[0]), "high": money(found.span[1])}
    elif found.span and found.field:
        low, high, figure = (value_of(found.field, value) for value in (*found.span, found.figure))
        values |= {"field": form_fields()[found.field].title, "low": low, "high": high, "figure": figure}
    return say_or(f"appraise.caution.{found.code}", found.text, **values)


def _subject(field: str, value: float | str | None) -> str:
    if value is None:
        return say(f"appraise.unknown.{field}")
    return say(f"appraise.subject.{field}", value=_with_unit(field, value))


def _with_unit(field: str, value: float | str | None) -> str:
    if isinstance(value, float):
        return say(f"appraise.with_unit.{field}", count=1 if value == 1 else 2, value=decimal(value))
    if field == "status":
        return say_or(f"appraise.status_word.{value}", str(value).replace("_", " "))
    return value_of(field, value)


def _rounded(dollars: float) -> int:
    """To three significant digits, and to no less than ten dollars."""
    digits = max(1, len(str(int(dollars))) - 3)
    return int(round(dollars, -digits))
