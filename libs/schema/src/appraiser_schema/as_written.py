"""Rows of a table that are clean listings nearly as they were written, found in one pass, a quarter of the long way.

What is written in any other way, and whatever may be wrong, is left to the doors of `frames`, which name each rule that
is broken. A test holds that both ways give the same listings.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import polars as pl

from appraiser_schema.listing import BLANKS, LISTING_COLUMNS, Status
from appraiser_schema.rules import Rule

_KEPT: Final = pl.Schema(
    {name: pl.Float64 if name in {"bed", "bath", "acre_lot", "house_size"} else pl.String for name in LISTING_COLUMNS}
    | {"prev_sold_date": pl.Date}
)
_SHAPE_OF_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_CLEAN: Final = "__clean"


class _Cell(NamedTuple):
    """A cell as it is kept, and whether the doors would keep it like that; None is always."""

    kept: pl.Expr
    sure: pl.Expr | None = None


def part_as_written(frame: pl.DataFrame, number: str, rules: Sequence[Rule]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part the rows that need no second look from the others.

    Args:
        frame: Any types and columns; absent columns are unknown, an absent status is for_sale.
        number: The column that numbers the rows.
        rules: What a clean listing follows.

    Returns:
        Clean listings, `number` and `LISTING_COLUMNS`; and the rows to look at again, as they came.
    """
    cells = {name: _cell(name, frame.schema.get(name)) for name in LISTING_COLUMNS}
    sure = {f"__{name}": cell.sure for name, cell in cells.items() if cell.sure is not None}
    table = (
        frame.lazy()
        .select(pl.col(number).cast(pl.UInt32), *(cell.kept.alias(name) for name, cell in cells.items()), **sure)
        .select(number, *cells, pl.all_horizontal(*sure, *(rule.followed for rule in rules)).alias(_CLEAN))
        .collect()
    )
    clean = table.drop_in_place(_CLEAN)
    return (table, frame.clear()) if clean.all() else (table.filter(clean), frame.filter(~clean))


def _cell(name: str, dtype: pl.DataType | None) -> _Cell:
    cell, kept = pl.col(name), _KEPT[name]
    if dtype is None:
        return _Cell(pl.lit(Status.FOR_SALE.value if name == "status" else None, kept))
    if dtype == pl.Null:
        return _Cell(cell.cast(kept))
    if name == "zip_code":
        return _zip_code(cell, dtype)
    read = {pl.Float64: _number, pl.Date: _day, pl.String: _text}
    return read[kept.base_type()](cell, dtype)


def _text(cell: pl.Expr, dtype: pl.DataType) -> _Cell:
    if dtype != pl.String:
        return _unsure(pl.String())
    text = cell.str.strip_chars(BLANKS)
    return _Cell(pl.when(text != "").then(text))


def _unsure(kept: pl.DataType) -> _Cell:
    return _Cell(pl.lit(None, kept), pl.lit(value=False))


def _number(cell: pl.Expr, dtype: pl.DataType) -> _Cell:
    if dtype.is_float() or dtype.is_integer():
        return _Cell(cell.cast(pl.Float64).fill_nan(None))
    if dtype != pl.String:
        return _unsure(pl.Float64())
    number = cell.cast(pl.Float64, strict=False)
    return _Cell(number, number.is_not_null() | cell.is_null())


def _zip_code(cell: pl.Expr, dtype: pl.DataType) -> _Cell:
    if dtype == pl.String:
        digits = cell.str.strip_suffix(".0").str.zfill(5)
        # That there are five digits is a rule of clean listings.
        return _Cell(digits, (digits != "00000").fill_null(value=True))
    if not (dtype.is_float() or dtype.is_integer()):
        return _unsure(pl.String())
    number = cell.cast(pl.Float64).fill_nan(None)
    whole = (number == number.floor()) & number.is_between(1, 99_999)
    return _Cell(number.cast(pl.Int64, strict=False).cast(pl.String).str.zfill(5), whole.fill_null(value=True))


def _day(cell: pl.Expr, dtype: pl.DataType) -> _Cell:
    if dtype == pl.Date:
        return _Cell(cell)
    if dtype != pl.String:
        return _unsure(pl.Date())
    day = cell.str.to_date("%Y-%m-%d", strict=False)
    return _Cell(day, cell.is_null() | (cell.str.contains(_SHAPE_OF_DATE) & day.is_not_null()))
