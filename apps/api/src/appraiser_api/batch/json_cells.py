"""What stands in the cells of listings written as JSON: of which type it may be, and the columns it makes."""

from typing import Any, Final

import msgspec
import polars as pl

from appraiser_api.batch.chunks import NOT_ASKED
from appraiser_schema import LISTING_COLUMNS

NUMBERS: Final = ("bed", "bath", "acre_lot", "house_size")
TEXTS: Final = ("status", "state", "city", "prev_sold_date")

NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What is raised where a text is no JSON, or not of the type that was asked for."""


def why(error: Exception) -> str:
    """What is wrong with a text that is no JSON."""
    return "lists and objects go too deep" if isinstance(error, RecursionError) else str(error)


def broken(name: str, cell: Any) -> str | None:
    """The rule that a cell breaks by its type, if any."""
    if name in NUMBERS:
        number = isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) < 1e300
        return None if cell is None or number else "a number, without quotes, units or separators"
    if name == "zip_code":
        fits = cell is None or (isinstance(cell, str | int | float) and not isinstance(cell, bool))
        return None if fits else "a zip code: five digits, ZIP+4, or a number from 1 to 99,999"
    if name in TEXTS:
        return None if cell is None or isinstance(cell, str) else "text"
    return None if name in NOT_ASKED else f"one of the fields of a listing: {', '.join(LISTING_COLUMNS)}"


def frame_of(cells: dict[str, list[Any]]) -> pl.DataFrame:
    """A table of columns whose cells have the types that they may have."""
    return pl.DataFrame([series_of(name, values) for name, values in cells.items()])


def series_of(name: str, values: list[Any]) -> pl.Series:
    """A column whose cells have the types that they may have."""
    if name in NUMBERS:
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    try:
        return pl.Series(name, values, dtype=pl.String)
    except TypeError:  # A number stands among the zip codes.
        return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)
