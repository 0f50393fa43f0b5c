"""What is wrong with a request, in the words of people: field, rule and value out of pydantic's errors."""

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from appraiser_schema import LISTING_COLUMNS, STATE_CODES, STATES, FieldProblem, Listing, RollbackOrder, Sale

_LONGEST: Final = 200
_STATE_RULE: Final = "must be the full English name of a US state, its district or a territory"
_ZIP_RULE: Final = "must be a zip code: five digits, ZIP+4, or a number from 1 to 99,999"
_DATE_RULE: Final = "must be a date written as YYYY-MM-DD"


class Body(NamedTuple):
    """What a body says: in words, and the names of its fields."""

    what: str
    says: str
    fields: tuple[str, ...]


HOUSE: Final = Body("a listing", "describes one house", LISTING_COLUMNS)
ROLLBACK: Final = Body("a rollback", "asks for one rollback", tuple(RollbackOrder.model_fields))
SALE: Final = Body("a report of a sale", "reports one sale", tuple(Sale.model_fields))

_CODE_STATES: Final = {code: state for state, code in STATE_CODES.items()}

_RULES: Final[Mapping[str, str]] = {
    "missing": "must be given",
    "float_type": "must be a number, without quotes, units or separators",
    "finite_number": "must be a finite number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "enum": "must be {expected}",
    "string_type": "must be text",
    "string_too_long": "must be at most {max_length} characters",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "date_type": _DATE_RULE,
    "value_error": "{error}",
}
_NO_OBJECT: Final = frozenset({"model_type", "model_attributes_type"})
_FIELD_RULES: Final[Mapping[tuple[str, str], str]] = {
    ("zip_code", "string_type"): _ZIP_RULE,
    ("zip_code", "string_pattern_mismatch"): _ZIP_RULE,
    ("state", "string_type"): _STATE_RULE + ", such as 'Connecticut'",
}


def field_problems(errors: Sequence[Mapping[str, Any]], body: Body = HOUSE) -> tuple[FieldProblem, ...]:
    """One problem per broken rule, in the order in which the fields are declared.

    Args:
        errors: As `pydantic.ValidationError.errors()` gives them, each location led by where the value was: in the
            body, the path or the query.
        body: What the body was to say.
    """
    return tuple(_field_problem(error, body) for error in errors)


def _field_problem(error: Mapping[str, Any], body: Body) -> FieldProblem:
    place = [str(part) for part in error["loc"]]
    field = ".".join(place[1:]) or place[0]
    kind, value = error["type"], error["input"]
    return FieldProblem(
        field=plain_text(field),
        rule=_rule(field, kind, error, body) + _hint(field, kind, value, body),
        value=None if kind == "missing" else plain_value(value),
    )


def _rule(field: str, kind: str, error: Mapping[str, Any], body: Body) -> str:
    if kind == "extra_forbidden":
        return f"is no field of {body.what}; there are {', '.join(body.fields)}"
    if kind in _NO_OBJECT or (field, kind) == ("body", "missing"):
        return f"must be a JSON object that {body.says}"
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


def _hint(field: str, kind: str, value: object, body: Body) -> str:
    """The name that was probably meant, where there is one."""
    if kind == "extra_forbidden":
        meant = difflib.get_close_matches(field.lower(), body.fields, n=1)
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
