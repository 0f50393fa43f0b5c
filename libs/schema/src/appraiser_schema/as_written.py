"""Rows of a table that are clean listings nearly as they were written, found by one look at each different text.

What is written in any other way, and whatever may be wrong, is left to the doors of `frames`, which name each rule that
is broken. A test holds that both ways give the same listings.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from appraiser_schema.columns import Coded
from appraiser_schema.listing import BLANKS, LISTING_COLUMNS, Status
from appraiser_schema.rules import rules_of
from appraiser_schema.tables import LISTING_TABLE

_KEPT: Final = pl.Schema(
    {name: pl.Float64 if name in {"bed", "bath", "acre_lot", "house_size"} else pl.String for name in LISTING_COLUMNS}
    | {"prev_sold_date": pl.Date}
)
_SHAPE_OF_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_UNKNOWN: Final = -1
_RULES: Final = rules_of(LISTING_TABLE)


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


class _Kind(StrEnum):
    """What stands in a column, as far as it makes a difference how its cells are read."""

    ABSENT = "absent"
    UNKNOWN = "unknown"
    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    OTHER = "other"


class _Cell(NamedTuple):
    """A cell as it is kept, and whether the doors would keep it like that."""

    kept: pl.Expr
    sure: pl.Expr = pl.lit(value=True)


class _Query(NamedTuple):
    """The cells of some columns as they are kept; after that, for each column, whether a cell is certainly clean."""

    kept: tuple[pl.Expr, ...]
    sure: tuple[pl.Expr, ...]


def part_as_written(frame: pl.DataFrame, number: str) -> AsWritten:
    """Part the rows that need no second look from the others; each different text is looked at once.

    Args:
        frame: Any types and columns; absent columns are unknown, an absent status is for_sale.
        number: The column that numbers the rows.
    """
    schema = frame.schema
    kinds = {name: _kind(schema.get(name)) for name in LISTING_COLUMNS}
    as_text = tuple(name for name, kind in kinds.items() if kind is _Kind.TEXT)
    plain = tuple(name for name in LISTING_COLUMNS if name not in as_text)
    more = (pl.col(number).cast(pl.UInt32), *_coding(as_text))
    columns = {series.name: series for series in _run(frame, _query(*((n, kinds[n]) for n in plain)), more)}
    clean = np.logical_and.reduce([columns.pop(_sure(name)).to_numpy() for name in plain])

    coded = {name: _coded(frame[name], columns.pop(_coded_name(name))) for name in as_text}
    # Beside each other, so that one query does for all of them: the shorter ones end in nulls, which are cut off.
    beside = [pl.DataFrame(), *(different.to_frame() for different, _ in coded.values())]
    once = _run(pl.concat(beside, how="horizontal_extend"), _query(*((name, _Kind.TEXT) for name in as_text)))
    texts: dict[str, Coded] = {}
    for name, (came, codes) in coded.items():
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
    """Part columns of n texts each.

    Yields:
        For each column its different texts in the order in which they first stand there, after them null where a text
        is unknown; and for each row its place among them, shape (n,).
    """
    for name, series in zip(names, frame.select(_coding(names)), strict=True):
        yield _coded(frame[name], series)


def _coding(names: Sequence[str]) -> Iterator[pl.Expr]:
    """For each row the number of its text, as categories count them.

    Of their own for each column, not those of the process: they go with it, and are numbered from 0.
    """
    own = ((name, pl.col(name).cast(pl.Categorical(pl.Categories.random()))) for name in names)
    return (cell.to_physical().alias(_coded_name(name)) for name, cell in own)


def _coded(column: pl.Series, numbers: pl.Series) -> tuple[pl.Series, NDArray[np.int64]]:
    if unknown := numbers.null_count():
        codes = numbers.cast(pl.Int64).to_numpy()
        codes = np.where(np.isnan(codes), _UNKNOWN, codes).astype(np.int64)
    else:
        codes = numbers.to_numpy().astype(np.int64)
    known = int(codes.max(initial=_UNKNOWN)) + 1
    # A row where each of them stands; what is unknown has the last place, which is that of -1.
    somewhere = np.zeros(known + 1, dtype=np.int64)
    somewhere[codes] = np.arange(len(codes))
    if unknown:
        codes[codes == _UNKNOWN] = known
        return column[somewhere], codes
    return column[somewhere[:known]], codes


def _run(frame: pl.DataFrame, query: _Query, more: Iterable[pl.Expr] = ()) -> pl.DataFrame:
    """`more`, and what is queried."""
    # To plan it would take longer than to look at a thousand houses, and there is nothing to be gained.
    planned = frame.lazy().select(*more, *query.kept).with_columns(query.sure)
    return planned.collect(engine="in-memory", optimizations=pl.QueryOptFlags.none())


@lru_cache(maxsize=256)
def _query(*columns: tuple[str, _Kind]) -> _Query:
    """Made once for columns of these kinds: that takes as long as to look at some hundred houses."""
    cells = {name: _cell(name, kind) for name, kind in columns}
    followed = {name: [rule.followed for rule in _RULES if rule.column == name] for name in cells}
    kept = (cell.kept.alias(name) for name, cell in cells.items())
    sure = (cell.sure.alias(_sure(name)) for name, cell in cells.items())
    both = (pl.all_horizontal(_sure(name), *rules).alias(_sure(name)) for name, rules in followed.items())
    return _Query((*kept, *sure), tuple(both))


def _kind(dtype: pl.DataType | None) -> _Kind:
    if dtype is None:
        return _Kind.ABSENT
    if dtype.is_float() or dtype.is_integer():
        return _Kind.NUMBER
    kinds = {pl.Null: _Kind.UNKNOWN, pl.String: _Kind.TEXT, pl.Date: _Kind.DAY}
    return kinds.get(dtype.base_type(), _Kind.OTHER)


def _sure(name: str) -> str:
    return f"__{name}"


def _coded_name(name: str) -> str:
    return f"__code_{name}"


def _cell(name: str, kind: _Kind) -> _Cell:
    cell, kept = pl.col(name), _KEPT[name]
    if kind is _Kind.ABSENT:
        return _Cell(pl.lit(Status.FOR_SALE.value if name == "status" else None, kept))
    if kind is _Kind.UNKNOWN:
        return _Cell(cell.cast(kept))
    if name == "zip_code":
        return _zip_code(cell, kind)
    read = {pl.Float64: _number, pl.Date: _day, pl.String: _text}
    return read[kept.base_type()](cell, kind)


def _text(cell: pl.Expr, kind: _Kind) -> _Cell:
    if kind is not _Kind.TEXT:
        return _unsure(pl.String())
    text = cell.str.strip_chars(BLANKS)
    return _Cell(pl.when(text != "").then(text))


def _unsure(kept: pl.DataType) -> _Cell:
    return _Cell(pl.lit(None, kept), pl.lit(value=False))


def _number(cell: pl.Expr, kind: _Kind) -> _Cell:
    if kind is _Kind.NUMBER:
        return _Cell(cell.cast(pl.Float64).fill_nan(None))
    if kind is not _Kind.TEXT:
        return _unsure(pl.Float64())
    number = cell.cast(pl.Float64, strict=False)
    return _Cell(number, number.is_not_null() | cell.is_null())


def _zip_code(cell: pl.Expr, kind: _Kind) -> _Cell:
    if kind is _Kind.TEXT:
        digits = cell.str.strip_suffix(".0").str.zfill(5)
        # That there are five digits is a rule of clean listings.
        return _Cell(digits, (digits != "00000").fill_null(value=True))
    if kind is not _Kind.NUMBER:
        return _unsure(pl.String())
    number = cell.cast(pl.Float64).fill_nan(None)
    whole = (number == number.floor()) & number.is_between(1, 99_999)
    return _Cell(number.cast(pl.Int64, strict=False).cast(pl.String).str.zfill(5), whole.fill_null(value=True))


def _day(cell: pl.Expr, kind: _Kind) -> _Cell:
    if kind is _Kind.DAY:
        return _Cell(cell)
    if kind is not _Kind.TEXT:
        return _unsure(pl.Date())
    day = cell.str.to_date("%Y-%m-%d", strict=False)
    return _Cell(day, cell.is_null() | (cell.str.contains(_SHAPE_OF_DATE) & day.is_not_null()))
