"""What tables of listings must hold, column by column: raw ones, and clean ones, read off `Listing`."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, get_args, get_origin

import annotated_types
import polars as pl
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from appraiser_schema.listing import BLANKS, RAW_COLUMNS, Listing, PricedListing, Status
from appraiser_schema.places import STATES
from appraiser_schema.rules import Check, Column, at_least, at_most, no_longer_than, of_the_form, one_of

NUMBERS: Final = ("price", "bed", "bath", "acre_lot", "zip_code", "house_size")
CODES: Final = ("brokered_by", "street")
TEXTS: Final = ("status", "city", "state", "prev_sold_date")
"""The columns of raw listings by what stands in them; codes are numbers in some sources and names in others."""

_TYPES: Final[dict[object, pl.DataType]] = {float: pl.Float64(), str: pl.String(), dt.date: pl.Date()}


def _is_zip(number: pl.Expr) -> pl.Expr:
    return (number == number.floor()) & number.is_between(1, 99_999)


def _is_date(cell: pl.Expr) -> pl.Expr:
    text = cell.str.strip_chars(BLANKS)
    shaped = text.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    return cell.is_null() | (shaped & text.str.to_date("%Y-%m-%d", strict=False).is_not_null())


_FINITE: Final = Check("a finite number", lambda cell: cell.is_finite())


def _raw_columns() -> dict[str, Column]:
    columns = {name: Column(pl.Float64(), (at_least(0), _FINITE), nullable=name != "price") for name in NUMBERS}
    columns |= {name: Column(pl.String()) for name in ("city", *CODES)}
    columns["zip_code"] = Column(pl.Float64(), (Check("a whole number from 1 to 99999", _is_zip),))
    columns["status"] = Column(pl.String(), (one_of(tuple(Status)),), nullable=False)
    columns["state"] = Column(pl.String(), (one_of(STATES),), nullable=False)
    columns["prev_sold_date"] = Column(pl.String(), (Check("a date written as YYYY-MM-DD", _is_date),))
    return {name: columns[name] for name in RAW_COLUMNS}


def _clean_columns(model: type[BaseModel]) -> dict[str, Column]:
    return {name: _clean_column(field) for name, field in model.model_fields.items()}


def _clean_column(field: FieldInfo) -> Column:
    kinds = get_args(field.annotation) or (field.annotation,)
    nullable = type(None) in kinds
    kind = next(k for k in kinds if k is not type(None))
    rules: list[Any] = list(field.metadata)
    if get_origin(kind) is Annotated:
        kind, *inner = get_args(kind)
        rules += [rule for info in inner for rule in getattr(info, "metadata", [info])]
    if issubclass(kind, StrEnum):
        return Column(pl.String(), (one_of(tuple(kind)),), nullable=nullable)
    checks = [check for rule in rules if (check := _clean_check(rule)) is not None]
    extra = field.json_schema_extra
    if isinstance(extra, dict) and isinstance(known := extra.get("enum"), list):
        checks.append(one_of(tuple(str(value) for value in known)))
    return Column(_TYPES[kind], tuple(checks), nullable=nullable)


def _clean_check(rule: object) -> Check | None:
    match rule:
        case annotated_types.Ge(ge=bound):
            return at_least(bound)
        case annotated_types.Le(le=bound):
            return at_most(bound)
        case annotated_types.MaxLen(max_length=length):
            return no_longer_than(length)
    if isinstance(pattern := getattr(rule, "pattern", None), str):
        return of_the_form(pattern)
    return _FINITE if getattr(rule, "allow_inf_nan", None) is False else None


RAW_TABLE: Final[Mapping[str, Column]] = _raw_columns()
"""What a batch must bring: the twelve columns with their types, known categories, nothing negative or infinite."""

CLEAN_TABLE: Final[Mapping[str, Column]] = _clean_columns(PricedListing)
"""The domain of the model, read off `PricedListing`."""

LISTING_TABLE: Final[Mapping[str, Column]] = _clean_columns(Listing)
"""The same without price, broker and street: a house that is asked about."""
