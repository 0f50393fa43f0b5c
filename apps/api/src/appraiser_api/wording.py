"""What is wrong with a request, in the words of people: field, rule and value out of pydantic's errors."""

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from appraiser_schema import LISTING_COLUMNS, STATE_CODES, STATES, FieldProblem, Listing

_LONGEST: Final = 200
_STATE_RULE: Final = "must be the full English name of a US state, its district or a territory"
_ZIP_RULE: Final = "must be a zip code: five digits, ZIP+4, or a number from 1 to 99,999"
_DATE_RULE: Final = "must be a date written as YYYY-MM-DD"
_BODY_RULE: Final = "must be a JSON object that describes one house"
_CODE_STATES: Final = {code: state for state, code in STATE_CODES.items()}

_RULES: Final[Mapping[str, str]] = {
    "missing": "must be given",
    "float_type": "must be a number, without quotes, units or separators",
    "finite_number": "must be a finite number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "enum": "must be {expected}",
    "string_type": "must be text",
    "string_too_long": "must be at most {max_length} characters",
    "int_parsing": "must be a whole number",
    "date_type": _DATE_RULE,
    "value_error": "{error}",
    "model_type": _BODY_RULE,
    "model_attributes_type": _BODY_RULE,
}
_FIELD_RULES: Final[Mapping[tuple[str, str], str]] = {
    ("zip_code", "string_type"): _ZIP_RULE,
    ("zip_code", "string_pattern_mismatch"): _ZIP_RULE,
    ("state", "string_type"): _STATE_RULE + ", such as 'Connecticut'",
    ("body", "missing"): _BODY_RULE,
}


def field_problems(errors: Sequence[Mapping[str, Any]]) -> tuple[FieldProblem, ...]:
    """One problem per broken rule, in the order in which the fields are declared.

    Args:
        errors: As `pydantic.ValidationError.errors()` gives them, each location led by where the value was: in the
            body, the path or the query.
    """
    return tuple(_field_problem(error) for error in errors)


def _field_problem(error: Mapping[str, Any]) -> FieldProblem:
    place = [str(part) for part in error["loc"]]
    field = ".".join(place[1:]) or place[0]
    kind, value = error["type"], error["input"]
    return FieldProblem(
        field=plain_text(field),
        rule=_rule(field, kind, error) + _hint(field, kind, value),
        value=None if kind == "missing" else plain_value(value),
    )


def _rule(field: str, kind: str, error: Mapping[str, Any]) -> str:
    if kind == "extra_forbidden":
        return f"is no field of a listing; there are {', '.join(LISTING_COLUMNS)}"
    rule = _FIELD_RULES.get((field, kind)) or _RULES.get(kind)
    if rule is None:
        return str(error["msg"]).replace("Input should be", "must be").replace("String should", "must")
    context = {name: _bound(field, bound) for name, bound in error.get("ctx", {}).items()}
    return rule.format(**context)


def _bound(field: str, bound: object) -> str:
    if not isinstance(bound, int | float):
        return str(bound)
    extra = Listing.model_fields[field].json_schema_extra if field in Listing.model_fields else None
    unit = extra.get("unit") if isinstance(extra, dict) and isinstance(bound, float) else None
    return f"{bound:,g} {unit}" if unit else f"{bound:,g}"


def _hint(field: str, kind: str, value: object) -> str:
    """The name that was probably meant, where there is one."""
    if kind == "extra_forbidden":
        meant = difflib.get_close_matches(field.lower(), LISTING_COLUMNS, n=1)
    elif field == "state" and isinstance(value, str):
        text = value.strip()
        code = _CODE_STATES.get(text.upper())
        meant = [code] if code else difflib.get_close_matches(text[:_LONGEST].title(), STATES, n=1)
    else:
        return ""
    return f". Did you mean {meant[0]!r}?" if meant else ""


def plain_value(value: object) -> Any:
    """A value as it can be sent back: finite, short, and text that can be encoded."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    return plain_text(str(value))


def plain_text(text: str) -> str:
    """A text, cut where it is long, with what cannot be encoded replaced."""
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return short.encode("utf-8", "replace").decode()
