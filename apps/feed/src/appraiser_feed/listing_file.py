"""Read listings from a CSV, Parquet or JSON file, with the types that the listing API sends."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from appraiser_feed.errors import ColumnsMissingError, FileMissingError, FileUnreadableError, NoListingsError
from appraiser_schema import RAW_COLUMNS
from appraiser_schema.errors import EmptyFileError, FileError
from appraiser_schema.files import open_table

NUMBERS: Final = ("price", "bed", "bath", "acre_lot", "house_size")
CODES: Final = ("brokered_by", "street")
TEXTS: Final = ("status", "city", "state")


@dataclass(frozen=True, slots=True)
class ListingFile:
    """What a file of listings holds.

    Attributes:
        listings: Rows with a value in every column, in file order: numbers as Float64, texts and ISO dates as String.
        rows_read: All rows of the file.
        unknown: Rows without a readable value, by column; columns without any are left out.
        broken: Rows with too few or too many cells, or that are no JSON, such as one that was cut in half.
    """

    listings: pl.DataFrame
    rows_read: int
    unknown: dict[str, int]
    broken: int


def read_listing_file(path: Path) -> ListingFile:
    """Read a file of listings; columns that no listing has are left out.

    Raises:
        FileMissingError: There is no such file.
        FileUnreadableError: It is no table in UTF-8, or is damaged.
        ColumnsMissingError: It lacks columns of a listing.
        NoListingsError: No row has a value in every column.
    """
    if not path.is_file():
        raise FileMissingError(path)
    try:
        return _read(path)
    except EmptyFileError as error:
        raise NoListingsError(path, error.problem) from None
    except FileError as error:
        raise FileUnreadableError(path, error.problem, error.remedy) from None
    except (pl.exceptions.PolarsError, OSError) as error:
        problem = f"cannot be read ({str(error).partition('\n')[0].rstrip('.')})"
        raise FileUnreadableError(path, problem, "save it again as UTF-8 CSV or as Parquet") from error


def _read(path: Path) -> ListingFile:
    file = open_table(path)
    missing = [column for column in RAW_COLUMNS if column not in file.columns]
    if missing:
        raise ColumnsMissingError(path, missing, file.columns)
    rows = broken = 0
    unknown: Counter[str] = Counter()
    parts: list[pl.DataFrame] = []
    for portion in file.portions():
        typed = _typed(portion.rows)
        rows += portion.height
        broken += portion.broken.height
        unknown.update(typed.null_count().row(0, named=True))
        parts.append(typed.drop_nulls())
    gaps = {column: unknown[column] for column in RAW_COLUMNS if unknown[column]}
    if not any(part.height for part in parts):
        raise NoListingsError(path, _why_nothing(rows, gaps, broken))
    return ListingFile(_joined(parts), rows, gaps, broken)


def _typed(table: pl.DataFrame) -> pl.DataFrame:
    table = table.with_columns(pl.lit(None).alias(column) for column in RAW_COLUMNS if column not in table.columns)
    schema = table.schema
    typed = {
        **{column: _number(column) for column in NUMBERS},
        **{column: pl.col(column).cast(pl.String) for column in TEXTS},
        **{
            column: _number(column) if schema[column].is_numeric() else pl.col(column).cast(pl.String)
            for column in CODES
        },
        "zip_code": _zip_code(schema["zip_code"]),
        "prev_sold_date": _date(schema["prev_sold_date"]),
    }
    return table.select(typed[column].alias(column) for column in RAW_COLUMNS)


def _number(column: str) -> pl.Expr:
    number = pl.col(column).cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _zip_code(kind: pl.DataType) -> pl.Expr:
    if kind != pl.String:
        return _number("zip_code")
    five_of_nine = pl.col("zip_code").str.extract(r"^([0-9]{5})-[0-9]{4}$").cast(pl.Float64, strict=False)
    return _number("zip_code").fill_null(five_of_nine)


def _date(kind: pl.DataType) -> pl.Expr:
    date = pl.col("prev_sold_date")
    return date.dt.strftime("%Y-%m-%d") if kind.is_temporal() else date.cast(pl.String)


def _joined(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Put the parts together, the codes as floats where every one is a number, as the original sends them.

    Others send names; then the whole column is text.
    """
    texts = [column for column in CODES if any(part.schema[column] == pl.String for part in parts)]
    table = pl.concat([part.with_columns(pl.col(texts).cast(pl.String)) for part in parts])
    floats = (table[column].cast(pl.Float64, strict=False) for column in texts)
    return table.with_columns(number for number in floats if not number.null_count())


def _why_nothing(rows: int, unknown: Mapping[str, int], broken: int) -> str:
    if not rows:
        return "has a header but no rows"
    gaps: Iterable[tuple[str, int]] = sorted(unknown.items(), key=lambda item: -item[1])
    worst = [f"{column} in {count:,}" for column, count in list(gaps)[:3]]
    worst += [f"no whole row in {broken:,}"] if broken else []
    return f"has {rows:,} row(s) but none with a value in every column (missing or unreadable: {', '.join(worst)})"
