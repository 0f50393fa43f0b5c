"""From the columns of a file to those of a listing, with units converted and states and dates written out."""

from functools import cache
from typing import Final, NamedTuple

import polars as pl
import zipcodes

from appraiser_schema import LISTING_COLUMNS, STATE_CODES, STATES, Status
from appraiser_schema.frames import ROW_NUMBER
from appraiser_ui.batch.columns import (
    FROM_ZIP,
    HALF_BATH,
    LATITUDE,
    LONGITUDE,
    PRICE,
    SQUARE_FEET,
    UNITS,
    Mapping,
    Unit,
)

DATE_FORMATS: Final = ("%Y-%m-%d", "%Y%m%dT%H%M%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%m/%d/%Y", "%Y%m%d")
"""Ways of writing a day that mean one day only; King County's has a T in the middle."""

STATUSES: Final = {
    "active": Status.FOR_SALE, "forsale": Status.FOR_SALE, "listed": Status.FOR_SALE, "closed": Status.SOLD,
    "sold": Status.SOLD, "readytobuild": Status.READY_TO_BUILD,
}  # fmt: skip
"""Other words for a status, without blanks and signs."""

ZIP_LENGTH: Final = 5


class Position(NamedTuple):
    """The middle of a zip code [degrees], its state and its city."""

    latitude: float
    longitude: float
    state: str
    city: str


_STATE_NAMES: Final = {code: name for name, code in STATE_CODES.items()} | {name.upper(): name for name in STATES}


def to_listings(rows: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """The columns of a listing out of those of a file.

    What cannot be converted stays as it came, so that it is refused with its value in plain sight.

    Args:
        rows: `row_number` and the columns of the file.
        mapping: Which is what.

    Returns:
        `row_number`, every field of a listing that has a column or a constant, and where there are columns for them
        `price`, `latitude` and `longitude` as numbers, null where they are none.
    """
    columns = mapping.columns
    fields = {name: _field(name, mapping, rows) for name in LISTING_COLUMNS if name in columns}
    for name, value in mapping.constants.items():
        if name not in fields and value and value != FROM_ZIP:
            fields[name] = pl.lit(value)
    others = {name: _number(rows, columns[name]) for name in (PRICE, LATITUDE, LONGITUDE) if name in columns}
    made = rows.select(ROW_NUMBER, **fields, **others)
    if mapping.constants.get("state") == FROM_ZIP and "zip_code" in made.columns and "state" not in made.columns:
        made = made.with_columns(_state_of_zip(made["zip_code"]))
    return made


def converted(rows: pl.DataFrame, made: pl.DataFrame, mapping: Mapping) -> dict[str, tuple[str, str]]:
    """For each field whose cells are written otherwise than they came, one of them before and after."""
    examples = {}
    for target, column in mapping.columns.items():
        if target not in LISTING_COLUMNS or target not in made.columns:
            continue
        before, after = rows[column].cast(pl.String), made[target].cast(pl.String)
        different = (before != after).fill_null(value=False) & (before.str.strip_chars() != "")
        place = different.arg_max()
        if place is not None and different[place]:
            examples[target] = (before[place], after[place])
    return examples


def position_of(zip_code: str) -> Position | None:
    """Where a zip code is; None where it is none."""
    return _positions().get(zip_code)


@cache
def _positions() -> dict[str, Position]:
    """Every zip code with a position: asked one by one, the package looks through all 42,000 for each."""
    return {
        place["zip_code"]: Position(
            float(place["lat"]), float(place["long"]), _STATE_NAMES.get(place["state"], ""), place["city"]
        )
        for place in zipcodes.list_all()  # type: ignore[no-untyped-call]
        if place["lat"] and place["long"]
    }


def _field(name: str, mapping: Mapping, rows: pl.DataFrame) -> pl.Expr:
    column = mapping.columns[name]
    cell, dtype = pl.col(column), rows.schema[column]
    if name in UNITS:
        return _in_own_unit(cell, name, mapping.units.get(name, UNITS[name][0]))
    if name == "bath" and HALF_BATH in mapping.columns:
        half = pl.col(mapping.columns[HALF_BATH]).cast(pl.Float64, strict=False).fill_null(0.0)
        return _changed(cell, lambda number: number + half * 0.5)
    if name == "state":
        text = cell.cast(pl.String).str.strip_chars()
        return text.str.to_uppercase().replace_strict(_STATE_NAMES, default=text)
    if name == "status":
        text = cell.cast(pl.String).str.strip_chars()
        plain = text.str.to_lowercase().str.replace_all(r"[^a-z]", "")
        known = {word: status.value for word, status in STATUSES.items()}
        return pl.when(plain.str.len_chars() > 0).then(plain.replace_strict(known, default=text)).otherwise(
            pl.lit(Status.FOR_SALE.value)
        )  # fmt: skip
    if name == "prev_sold_date" and not dtype.is_temporal():
        text = cell.cast(pl.String).str.strip_chars()
        days = [text.str.to_date(form, strict=False, exact=True) for form in DATE_FORMATS]
        return pl.coalesce(*(day.dt.to_string("%Y-%m-%d") for day in days), text)
    return cell


def _in_own_unit(cell: pl.Expr, name: str, unit: Unit) -> pl.Expr:
    own = UNITS[name][0]
    if unit == own:
        return cell
    factor = SQUARE_FEET[unit] / SQUARE_FEET[own]
    return _changed(cell, lambda number: (number * factor).round(4))


def _changed(cell: pl.Expr, change) -> pl.Expr:  # type: ignore[no-untyped-def]  # noqa: ANN001 - of an expression
    """A number changed, as text; what is none stays as it came."""
    text = cell.cast(pl.String).str.strip_chars()
    number = text.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(change(number).cast(pl.String)).otherwise(text)


def _number(rows: pl.DataFrame, column: str) -> pl.Expr:
    cell = pl.col(column)
    if rows.schema[column] == pl.String:
        cell = cell.str.strip_chars().str.replace_all(r"[$,]", "")
    number = cell.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _state_of_zip(zip_codes: pl.Series) -> pl.Series:
    texts = (
        zip_codes.cast(pl.String)
        .str.strip_chars()
        .str.replace(r"\.0$", "")
        .str.slice(0, ZIP_LENGTH)
        .str.zfill(ZIP_LENGTH)
    )
    known = {text: place.state for text in texts.drop_nulls().unique() if (place := position_of(text)) is not None}
    return texts.replace_strict(known, default=None, return_dtype=pl.String).alias("state")
