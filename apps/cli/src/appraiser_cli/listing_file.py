"""Reads a table of listings from a person's CSV or Parquet file."""

import csv
from pathlib import Path
from typing import Final

import polars as pl

from appraiser_cli.errors import DataFileError
from appraiser_cli.running.source import check_file
from appraiser_schema import RAW_COLUMNS
from appraiser_schema.frames import ROW_NUMBER, number_rows

_LAST_BYTES: Final = 65_536
_DELIMITERS: Final = ",;\t|"
_NULLS: Final = ("", "-", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""Delimiters and words for nothing, as the listing feed knows them."""


def read_listings(path: Path) -> pl.DataFrame:
    """The rows of a file, numbered from 1; a CSV's cells as text, for the schema to read.

    Raises:
        DataFileError: It cannot be read as a table, such as one that was cut off in the middle of a row.
    """
    absolute = check_file(path)
    try:
        frame = pl.read_parquet(absolute) if absolute.suffix.lower() == ".parquet" else _read_csv(absolute, path)
    except (UnicodeDecodeError, pl.exceptions.PolarsError, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataFileError(path, f"cannot be read as a table: {first}") from error
    return number_rows(frame.drop(ROW_NUMBER, strict=False))


def _read_csv(absolute: Path, path: Path) -> pl.DataFrame:
    with absolute.open("rb") as file:
        header = file.readline().decode("utf-8-sig")
    delimiter = max(_DELIMITERS, key=header.count)
    _check_last_row(absolute, path, delimiter)
    frame = pl.read_csv(absolute, separator=delimiter, infer_schema=False).rename(str.strip)
    cells = pl.col(column for column in frame.columns if column in RAW_COLUMNS)
    frame = frame.with_columns(pl.when(~cells.str.strip_chars().is_in(_NULLS)).then(cells))
    # A file with semicolons comes from a place where the comma divides a number.
    return frame.with_columns(cells.str.replace(r"^(-?\d+),(\d+)$", "$1.$2")) if delimiter == ";" else frame


def _check_last_row(absolute: Path, path: Path, delimiter: str) -> None:
    """Refuse a file whose last row was cut off: polars would fill up its columns with nothing, without a word."""
    with absolute.open("rb") as file:
        header = file.readline()
        file.seek(max(0, absolute.stat().st_size - _LAST_BYTES))
        last = file.read().rsplit(b"\n", 1)[-1]
    if last and len(_cells(last, delimiter)) < len(_cells(header, delimiter)):
        raise DataFileError(
            path, f"ends in the middle of a row, {_text(last)!r}; bring it here again, or remove that line"
        )


def _cells(line: bytes, delimiter: str) -> list[str]:
    return next(csv.reader([_text(line)], delimiter=delimiter), [])


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").strip("\r\n")
