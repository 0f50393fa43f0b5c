"""Reads a table of listings from a person's CSV, Parquet or JSON file, as the feed reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from appraiser_cli.errors import DataFileError
from appraiser_cli.running.source import check_file
from appraiser_schema.errors import FileError
from appraiser_schema.files import TableFile, open_table
from appraiser_schema.frames import ROW_NUMBER


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Name the file in whatever goes wrong while it is read.

    Raises:
        DataFileError: Something did.
    """
    try:
        yield
    except FileError as error:
        raise DataFileError(path, f"{error.problem}; {error.remedy}") from None
    except (pl.exceptions.PolarsError, OSError) as error:
        first = str(error).partition("\n")[0] or type(error).__name__
        raise DataFileError(path, f"cannot be read as a table: {first}") from error


def open_listings(path: Path) -> TableFile:
    """Open a file, to be read in portions.

    Raises:
        DataFileError: It cannot be read as a table.
    """
    absolute = check_file(path)
    with named(path):
        return open_table(absolute)


def read_listings(path: Path) -> pl.DataFrame:
    """All rows of a file, numbered from 1; a CSV's cells as text, for the schema to read.

    Raises:
        DataFileError: It cannot be read as a table, or one of its rows is none, such as one that was cut in half.
    """
    file = open_listings(path)
    parts = [pl.DataFrame(schema={ROW_NUMBER: pl.UInt32})]
    with named(path):
        for portion in file.portions():
            if portion.broken.height:
                raise DataFileError(path, _broken(portion.broken))
            parts.append(portion.rows)
    texts = {name for part in parts for name, dtype in part.schema.items() if dtype == pl.String}
    columns = dict.fromkeys(file.columns, pl.String)
    if len(parts) == 1:
        return pl.DataFrame(schema={ROW_NUMBER: pl.UInt32, **columns})
    return pl.concat(
        [part.with_columns(pl.col(texts & set(part.columns)).cast(pl.String)) for part in parts], how="diagonal"
    )


def _broken(rows: pl.DataFrame) -> str:
    first = rows.row(0, named=True)
    return (
        f"has something else in the place of row {first[ROW_NUMBER]:,}: not {first['rule']}, but {first['value']!r}; "
        "mend it there, or remove that line"
    )
