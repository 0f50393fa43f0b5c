"""Read listings from a CSV or Parquet file, with the types that the listing API sends."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from appraiser_feed.errors import ColumnsMissingError, FileMissingError, FileUnreadableError, NoListingsError
from appraiser_schema import RAW_COLUMNS

NUMBERS: Final = ("price", "bed", "bath", "acre_lot", "house_size")
CODES: Final = ("brokered_by", "street")
TEXTS: Final = ("status", "city", "state")

NULLS: Final = ["", "-", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]
_DELIMITERS: Final = ",;\t|"
_PARQUET: Final = b"PAR1"


@dataclass(frozen=True, slots=True)
class ListingFile:
    """What a file of listings holds.

    Attributes:
        listings: Rows with a value in every column, in file order: numbers as Float64, texts and ISO dates as String.
        rows_read: All rows of the file.
        unknown: Rows without a readable value, by column; columns without any are left out.
    """

    listings: pl.DataFrame
    rows_read: int
    unknown: dict[str, int]


def read_listing_file(path: Path) -> ListingFile:
    """Read a file of listings; columns that no listing has are left out.

    Raises:
        FileMissingError: There is no such file.
        FileUnreadableError: It is neither CSV nor Parquet, or is damaged.
        ColumnsMissingError: It lacks columns of a listing.
        NoListingsError: No row has a value in every column.
    """
    if not path.is_file():
        raise FileMissingError(path)
    try:
        table = _typed(path, _scan(path)).collect(engine="streaming")
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError) as error:
        raise FileUnreadableError(path, str(error).split("\n", maxsplit=1)[0].rstrip(".")) from error
    table = _codes(table)
    unknown = {column: count for column, count in table.null_count().row(0, named=True).items() if count}
    listings = table.drop_nulls()
    if not listings.height:
        raise NoListingsError(path, _why_nothing(table.height, unknown))
    return ListingFile(listings, table.height, unknown)


def _scan(path: Path) -> pl.LazyFrame:
    with path.open("rb") as file:
        head = file.read(65_536)
    if head.startswith(_PARQUET):
        return pl.scan_parquet(path)
    header = head.partition(b"\n")[0].decode("utf-8-sig")
    if not header.strip():
        raise NoListingsError(path, "is empty")
    delimiter = max(_DELIMITERS, key=header.count)
    table = pl.scan_csv(
        path, separator=delimiter, infer_schema=False, null_values=NULLS, truncate_ragged_lines=True
    ).rename(str.strip)
    # A file with semicolons comes from a place where the comma divides a number.
    return table if delimiter != ";" else table.with_columns(pl.all().str.replace(r"^(-?\d+),(\d+)$", "$1.$2"))


def _typed(path: Path, table: pl.LazyFrame) -> pl.LazyFrame:
    schema = table.collect_schema()
    missing = [column for column in RAW_COLUMNS if column not in schema]
    if missing:
        raise ColumnsMissingError(path, missing, schema.names())
    typed = {
        **{column: _number(column, schema[column]) for column in NUMBERS},
        **{column: _text(column) for column in TEXTS},
        **{column: _code(column, schema[column]) for column in CODES},
        "zip_code": _zip_code(schema["zip_code"]),
        "prev_sold_date": _date(schema["prev_sold_date"]),
    }
    return table.select(typed[column].alias(column) for column in RAW_COLUMNS)


def _text(column: str) -> pl.Expr:
    text = pl.col(column).cast(pl.String).str.strip_chars()
    return pl.when(~text.is_in(NULLS)).then(text)


def _number(column: str, kind: pl.DataType) -> pl.Expr:
    value = _text(column) if kind in (pl.String, pl.Categorical) else pl.col(column)
    if kind == pl.Float32:
        # By way of the shortest text, so that 0.38 does not become 0.3799999952316284.
        value = value.cast(pl.String)
    number = value.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _code(column: str, kind: pl.DataType) -> pl.Expr:
    return _number(column, kind) if kind.is_numeric() else _text(column)


def _zip_code(kind: pl.DataType) -> pl.Expr:
    number = _number("zip_code", kind)
    if kind.is_numeric():
        return number
    five_of_nine = _text("zip_code").str.extract(r"^([0-9]{5})-[0-9]{4}$").cast(pl.Float64, strict=False)
    return number.fill_null(five_of_nine)


def _date(kind: pl.DataType) -> pl.Expr:
    if kind.is_temporal():
        return pl.col("prev_sold_date").dt.strftime("%Y-%m-%d")
    return _text("prev_sold_date")


def _codes(table: pl.DataFrame) -> pl.DataFrame:
    """Turn the codes into floats where every one is a number, as the original sends them; others send names."""
    texts = [column for column in CODES if table.schema[column] == pl.String]
    floats = (table[column].cast(pl.Float64, strict=False) for column in texts)
    return table.with_columns(
        number
        for column, number in zip(texts, floats, strict=True)
        if number.null_count() == table[column].null_count()
    )


def _why_nothing(rows: int, unknown: dict[str, int]) -> str:
    if not rows:
        return "has a header but no rows"
    gaps: Iterable[tuple[str, int]] = sorted(unknown.items(), key=lambda item: -item[1])
    worst = ", ".join(f"{column} in {count:,}" for column, count in list(gaps)[:3])
    return f"has {rows:,} row(s) but none with a value in every column (missing or unreadable: {worst})"
