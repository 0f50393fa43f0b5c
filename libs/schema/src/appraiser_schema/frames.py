"""Tables of listings in polars: the same declaration as `Listing`, checked a million rows at a time.

Rows go through three doors: `coerce` gives every column its type, `check_raw` refuses what is no listing at all, and,
after `normalise`, `check_clean` refuses what lies outside the domain that `PricedListing` declares. Refused rows come
back as failures, one line per broken rule, so that nothing is lost in silence.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import polars as pl

from appraiser_schema.as_written import code_texts, part_as_written
from appraiser_schema.columns import Coded, Columns, listing_columns
from appraiser_schema.errors import ShapeError
from appraiser_schema.listing import BLANKS, LISTING_COLUMNS, PRICE_FLOOR_USD, RAW_COLUMNS, Status
from appraiser_schema.rules import Column, Rule, rules_of, wrong_columns
from appraiser_schema.tables import CLEAN_TABLE, CODES, LISTING_TABLE, NUMBERS, RAW_TABLE, TEXTS

__all__ = [
    "CLEAN_TABLE",
    "FAILURE_SCHEMA",
    "LISTING_TABLE",
    "RAW_TABLE",
    "ROW_NUMBER",
    "Checked",
    "Coded",
    "Columns",
    "Stage",
    "check_clean",
    "check_raw",
    "clean_columns",
    "clean_unpriced",
    "coerce",
    "listing_columns",
    "normalise",
    "number_rows",
    "part_clean",
    "to_columns",
]

ROW_NUMBER: Final = "row_number"
"""Column that numbers the rows of a batch or a file, from 1, so that a person can find them."""

FAILURE_SCHEMA: Final = pl.Schema(
    {ROW_NUMBER: pl.UInt32, "stage": pl.String, "column": pl.String, "rule": pl.String, "value": pl.String}
)

MONEY_RULE: Final = "a number without currency sign and commas, such as 279900"
"""What is told of '$279,900': how to write it."""

_ZIP_TEXT: Final = r"^([0-9]{5})(?:-[0-9]{4})?$"


class Stage(StrEnum):
    """At which door a row was refused."""

    READ = "read"
    RAW = "raw"
    CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class Checked:
    """Rows that passed a door and, of the others, every rule they broke.

    Attributes:
        good: The rows that broke no rule, in their order.
        failures: One line per broken rule, columns as in `FAILURE_SCHEMA`; a row can stand in several lines.
    """

    good: pl.DataFrame
    failures: pl.DataFrame

    @property
    def refused(self) -> int:
        """Number of rows, not of broken rules, that were refused."""
        return self.failures[ROW_NUMBER].n_unique()


@dataclass(frozen=True, slots=True)
class _Door:
    """What is asked of a row at a stage."""

    stage: Stage
    columns: Mapping[str, Column]
    rules: tuple[Rule, ...]


def number_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Number the rows from 1, unless they are numbered already."""
    return frame if ROW_NUMBER in frame.columns else frame.with_row_index(ROW_NUMBER, offset=1)


def coerce(
    frame: pl.DataFrame,
    *,
    columns: Sequence[str] = RAW_COLUMNS,
    missing_ok: bool = False,
    extra_ok: bool = False,
) -> Checked:
    """Give the columns of a table, as a file or the listing API brought them, the types of raw listings.

    Args:
        frame: Any types: numbers as text, dates as dates, zip codes as numbers or text.
        columns: The columns to return; 'row_number' is added in front where it is absent.
        missing_ok: Whether an absent column counts as unknown in every row instead of a changed shape.
        extra_ok: Whether other columns are dropped instead of taken for a changed shape.

    Returns:
        Numbers as Float64 with NaN turned into null, texts as String. The codes brokered_by and street, that some
        sources send as floats and others as names, become texts without a decimal point. An empty text is unknown. A
        row with something unreadable in it is refused.

    Raises:
        ShapeError: The table lacks columns or has others.
    """
    missing = tuple(c for c in columns if c not in frame.columns)
    unexpected = tuple(c for c in frame.columns if c not in (*columns, ROW_NUMBER))
    if (missing and not missing_ok) or (unexpected and not extra_ok):
        raise ShapeError(() if missing_ok else missing, () if extra_ok else unexpected)
    before = number_rows(frame).with_columns(pl.lit(None).alias(c) for c in missing)
    after = before.select(pl.col(ROW_NUMBER).cast(pl.UInt32), *(_typed(c, before.schema[c]) for c in columns))
    lost = [_unreadable(before, after, c) for c in columns if c in NUMBERS and before.schema[c] == pl.String]
    failures = pl.concat([pl.DataFrame(schema=FAILURE_SCHEMA), *lost])
    return Checked(_without(after, failures), failures.sort(ROW_NUMBER, "column"))


def check_raw(frame: pl.DataFrame, *, as_of: dt.date | None = None) -> Checked:
    """Refuse rows that are no listings: nothing known of price or state, unknown categories, impossible values.

    Args:
        frame: Raw listings, as `coerce` returns them.
        as_of: Day on which the batch was received; a sale after it is impossible. None skips that rule.
    """
    return _check(frame, _RAW if as_of is None else replace(_RAW, rules=(*_RAW.rules, _sold_by(as_of))))


def normalise(frame: pl.DataFrame) -> pl.DataFrame:
    """Write raw listings, that `check_raw` let through, the one way in which they are kept. No row is dropped.

    Zip codes get their five digits back, texts lose blanks at both ends, dates become dates: to the letter what
    validation by `Listing` does to a single house.
    """
    columns = [c for c in frame.columns if c in (*RAW_COLUMNS, ROW_NUMBER)]
    return frame.select(columns).with_columns(
        pl.col("status", "city", "state", *CODES).str.strip_chars(BLANKS),
        pl.col("zip_code").cast(pl.Int64).cast(pl.String).str.zfill(5),
        pl.col("prev_sold_date").str.strip_chars(BLANKS).str.to_date("%Y-%m-%d"),
    )


def check_clean(frame: pl.DataFrame) -> Checked:
    """Refuse normalised listings outside the domain that `PricedListing` declares.

    A table without a price column is checked as `Listing` would: all but the price.
    """
    return _check(frame, _door_of(frame))


def part_clean(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part the rows that `check_clean` lets through from those of which it tells what they break."""
    return _part(number_rows(frame), _door_of(frame))


def clean_unpriced(frame: pl.DataFrame) -> Checked:
    """Take listings of houses that are asked about, and so have no price yet, through all three doors.

    Args:
        frame: Any types, as `coerce` takes them. Absent columns are unknown, an absent status is for_sale; a price and
            other columns are not looked at.

    Returns:
        Clean listings, row_number and `LISTING_COLUMNS`, by their numbers, and the failures of all doors.
    """
    return _clean_as_written(frame)[0]


def clean_columns(frame: pl.DataFrame) -> tuple[Checked, Columns]:
    """Like `clean_unpriced`, and the clean listings as `to_columns` makes them of many, in less time than both."""
    checked, texts = _clean_as_written(frame)
    return checked, _columns(checked.good, texts, coded=True)


def _clean_as_written(frame: pl.DataFrame) -> tuple[Checked, Mapping[str, Coded]]:
    parted = part_as_written(number_rows(frame), ROW_NUMBER)
    if parted.others.is_empty():
        return Checked(parted.good, pl.DataFrame(schema=FAILURE_SCHEMA)), parted.texts
    checked = _clean_unpriced(parted.others)
    if checked.good.is_empty():
        return Checked(parted.good, checked.failures), parted.texts
    return Checked(pl.concat([parted.good, checked.good]).sort(ROW_NUMBER), checked.failures), {}


def _clean_unpriced(frame: pl.DataFrame) -> Checked:
    if "status" not in frame.columns:
        frame = frame.with_columns(status=pl.lit(Status.FOR_SALE.value))
    typed = coerce(frame.drop("price", strict=False), missing_ok=True, extra_ok=True)
    # A raw listing must have a price: the lowest one stands in until that door is passed.
    raw = check_raw(typed.good.with_columns(price=pl.lit(PRICE_FLOOR_USD)))
    clean = check_clean(normalise(raw.good).select(ROW_NUMBER, *LISTING_COLUMNS))
    failures = pl.concat([typed.failures, raw.failures, clean.failures]).sort(ROW_NUMBER, "column", "rule")
    return Checked(clean.good, failures)


def to_columns(frame: pl.DataFrame, *, coded: bool = False) -> Columns:
    """Turn clean listings into what `appraiser_features` takes.

    Args:
        frame: Clean listings; further columns are not looked at.
        coded: Whether texts become `Coded` instead of lists, in a tenth of the time where there are many.
    """
    return _columns(frame, {}, coded=coded)


def _columns(frame: pl.DataFrame, texts: Mapping[str, Coded], *, coded: bool) -> Columns:
    schema = frame.schema
    as_text = [name for name in LISTING_COLUMNS if schema[name] == pl.String]
    if coded and (others := [name for name in as_text if name not in texts]):
        parted = zip(others, code_texts(frame, others), strict=True)
        texts = {**texts, **{name: Coded(different.to_list(), codes) for name, (different, codes) in parted}}
    # What is unknown becomes NaN. Not by an expression: to plan a query takes longer than to copy a thousand numbers.
    numbers = (frame[name] for name in LISTING_COLUMNS if name not in as_text)
    days = (series.cast(pl.Int32) if series.dtype == pl.Date else series for series in numbers)
    columns: dict[str, Any] = {series.name: series.cast(pl.Float64).to_numpy() for series in days}
    return columns | {name: texts[name] if coded else frame[name].to_list() for name in as_text}


def _typed(column: str, dtype: pl.DataType) -> pl.Expr:
    cell = pl.col(column)
    if column in TEXTS:
        return cell.dt.to_string("%Y-%m-%d") if dtype.is_temporal() else _no_blank(cell)
    if column in CODES:
        if dtype.is_numeric():
            return cell.cast(pl.Int64, strict=False).cast(pl.String)
        return _no_blank(cell).str.replace(r"^([0-9]+)\.0$", "$1")
    if dtype != pl.String:
        return cell.cast(pl.Float64).fill_nan(None)
    text = cell.str.strip_chars(BLANKS)
    if column == "zip_code":
        text = text.str.replace(_ZIP_TEXT, "$1")
    number = text.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number).alias(column)


def _no_blank(cell: pl.Expr) -> pl.Expr:
    cell = cell.cast(pl.String)
    return pl.when(cell.str.strip_chars(BLANKS) != "").then(cell)


def _unreadable(before: pl.DataFrame, after: pl.DataFrame, column: str) -> pl.DataFrame:
    lost = before[column].str.strip_chars(BLANKS).fill_null("").ne("") & after[column].is_null()
    refused = before.filter(lost)
    # Never read as money: 279,900 may mean 279.9 where the comma divides a number.
    money = pl.col(column).str.contains("[$,]")
    plain = _failures(refused.filter(~money), column, "a number", Stage.READ)
    return pl.concat([plain, _failures(refused.filter(money), column, MONEY_RULE, Stage.READ)])


def _failures(rows: pl.DataFrame, column: str, rule: str, stage: Stage) -> pl.DataFrame:
    return rows.select(
        pl.col(ROW_NUMBER).cast(pl.UInt32),
        pl.lit(stage.value).alias("stage"),
        pl.lit(column).alias("column"),
        pl.lit(rule).alias("rule"),
        pl.col(column).cast(pl.String).alias("value"),
    )


def _without(frame: pl.DataFrame, failures: pl.DataFrame) -> pl.DataFrame:
    if failures.is_empty():
        return frame
    return frame.join(failures.select(ROW_NUMBER).unique(), on=ROW_NUMBER, how="anti", maintain_order="left")


def _check(frame: pl.DataFrame, door: _Door) -> Checked:
    good, refused = _part(number_rows(frame), door)
    if refused.is_empty():
        return Checked(good, pl.DataFrame(schema=FAILURE_SCHEMA))
    followed = refused.select(rule.followed.alias(str(place)) for place, rule in enumerate(door.rules))
    broken = [
        _failures(refused.filter(~rows), rule.column, rule.words, door.stage)
        for rule, rows in zip(door.rules, followed, strict=True)
        if not rows.all()
    ]
    return Checked(good, pl.concat(broken).sort(ROW_NUMBER, "column", "rule"))


def _part(numbered: pl.DataFrame, door: _Door) -> tuple[pl.DataFrame, pl.DataFrame]:
    if wrong := wrong_columns(numbered, door.columns):
        raise ShapeError(wrong, ())
    good = numbered.select(pl.all_horizontal(rule.followed for rule in door.rules)).to_series()
    return (numbered, numbered.clear()) if good.all() else (numbered.filter(good), numbered.filter(~good))


def _door_of(clean: pl.DataFrame) -> _Door:
    return _CLEAN if "price" in clean.columns else _LISTING


def _sold_by(day: dt.date) -> Rule:
    late = pl.col("prev_sold_date").str.to_date("%Y-%m-%d", strict=False) > day
    words = f"not after the day the batch was received, {day}"
    return Rule("prev_sold_date", words, ~late.fill_null(value=False))


_RAW: Final = _Door(Stage.RAW, RAW_TABLE, rules_of(RAW_TABLE))
_CLEAN: Final = _Door(Stage.CLEAN, CLEAN_TABLE, rules_of(CLEAN_TABLE))
_LISTING: Final = _Door(Stage.CLEAN, LISTING_TABLE, rules_of(LISTING_TABLE))
