"""Reads a table of listings from a person's CSV or Parquet file."""

from pathlib import Path

import polars as pl

from appraiser_cli.errors import DataFileError
from appraiser_cli.running.source import check_file
from appraiser_schema.frames import ROW_NUMBER, number_rows


def read_listings(path: Path) -> pl.DataFrame:
    """The rows of a file, numbered from 1; a CSV's cells as text, for the schema to read.

    Raises:
        DataFileError: It cannot be read as a table, such as one that was cut off in the middle of a row.
    """
    absolute = check_file(path)
    try:
        if absolute.suffix.lower() == ".parquet":
            frame = pl.read_parquet(absolute)
        else:
            frame = pl.read_csv(absolute, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataFileError(path, f"cannot be read as a table: {first}") from error
    return number_rows(frame.drop(ROW_NUMBER, strict=False))
