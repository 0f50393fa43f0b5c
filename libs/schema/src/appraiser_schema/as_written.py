"""Rows of a table that are clean listings nearly as they were written, found by one look at each different text.

What is written in any other way, and whatever may be wrong, is left to the doors of `frames`, which name each rule that
is broken. A test holds that both ways give the same listings.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from appraiser_schema.columns import Coded
from appraiser_schema.listing import BLANKS, LISTING_COLUMNS, Status
from appraiser_schema.rules import Rule

_KEPT: Final = pl.Schema(
    {name: pl.Float64 if name in {"bed", "bath", "acre_lot", "house_size"} else pl.String for name in LISTING_COLUMNS}
    | {"prev_sold_date": pl.Date}
)
_SHAPE_OF_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class AsWritten:
    """A table, parted.

    Attributes:
        good: Clean listings: their number and `LISTING_COLUMNS`; n rows.
        texts: Those of its columns that came as texts, by name; n texts each.
        others: The rows to look at again, as they came.
    """

    good: pl.DataFrame
    texts: Mapping[str, Coded]
    others: pl.DataFrame


class _Cell(NamedTuple):
    """A cell as it is kept, and whether the doors would keep it like that."""

    kept: pl.Expr
    sure: pl.Expr = pl.lit(value=True)


def part_as_written(frame: pl.DataFrame, number: str, rules: Sequence[Rule]) -> AsWritten:
    """Part the rows that need no second look from the others; each different text is looked at once.

    Args:
        frame: Any types and columns; absent columns are unknown, an absent status is for_sale.
        number: The column that numbers the rows.
        rules: What a clean listing follows.
    """
    schema = frame.schema
    as_text = [name for name in LISTING_COLUMNS if schema.get(name) == pl.String]
    plain = [name for name in LISTING_COLUMNS if name not in as_text]
    kept = _kept(frame, plain, rules, pl.col(number).cast(pl.UInt32))
    clean = np.logical_and.reduce([kept.drop_in_place(_sure(name)).to_numpy() for name in plain])

    parted = dict(zip(as_text, code_texts(frame, as_text), strict=True))
    # Beside each other, so that one query does for all of them: the shorter ones end in nulls, which are cut off.
    beside = [pl.DataFrame(), *(different.to_frame() for different, _ in parted.values())]
    once = _kept(pl.concat(beside, how="horizontal_extend"), as_text, rules)
    columns: dict[str, pl.Series] = {series.name: series for series in kept}
    texts: dict[str, Coded] = {}
    for name, (came, codes) in parted.items():
        different, sure = once[name][: len(came)], once[_sure(name)][: len(came)].to_numpy()
        if not sure.all():
            clean = clean & sure[codes]
        columns[name] = frame[name] if different.equals(came, check_dtypes=True) else different[codes]
        if different.dtype == pl.String:
            texts[name] = Coded(different.to_list(), codes)
    table = pl.DataFrame([columns[name] for name in (number, *LISTING_COLUMNS)])
    if clean.all():
        return AsWritten(table, texts, frame.clear())
    some = {name: Coded(coded.values, coded.codes[clean]) for name, coded in texts.items()}
    return AsWritten(table.filter(clean), some, frame.filter(~clean))


def code_texts(frame: pl.DataFrame, names: Sequence[str]) -> Iterator[tuple[pl.Series, NDArray[np.int64]]]:
    """Part columns of n texts each; none of them may be absent.

    Yields:
        For each column its different texts in the order in which they first stand there, after them null where a text
        is unknown; and for each row its place among them, shape (n,).
    """
    # Categories of its own for each column, not those of the process: they go with it, and are numbered from 0.
    own = [pl.col(name).cast(pl.Categorical(pl.Categories.random())) for name in names]
    coded = frame.select(cell.to_physical().cast(pl.Int64).fill_null(_UNKNOWN) for cell in own)
    for column, codes in ((frame[series.name], series.to_numpy()) for series in coded):
        known = int(codes.max(initial=_UNKNOWN)) + 1
        # A row where each of them stands; what is unknown has the last place, which is that of -1.
        somewhere = np.zeros(known + 1, dtype=np.int64)
        somewhere[codes] = np.arange(len(codes))
        unknown = codes == _UNKNOWN
        if unknown.any():
            yield column[somewhere], np.where(unknown, known, codes)
        else:
            yield column[somewhere[:known]], codes


def _kept(frame: pl.DataFrame, names: list[str], rules: Sequence[Rule], *more: pl.Expr) -> pl.DataFrame:
    """`more`, the columns of these names as they are kept, and for each which of its rows are certainly clean."""
    schema = frame.schema
    cells = {name: _cell(name, schema.get(name)) for name in names}
    followed = {name: [rule.followed for rule in rules if rule.column == name] for name in names}
    return (
        frame.lazy()
        .select(
            *more,
            *(cell.kept.alias(name) for name, cell in cells.items()),
            *(cell.sure.alias(_sure(name)) for name, cell in cells.items()),
        )
        .with_columns(pl.all_horizontal(_sure(name), *followed[name]).alias(_sure(name)) for name in names)
        .collect()
    )


def _sure(name: str) -> str:
    return f"__{name}"


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
