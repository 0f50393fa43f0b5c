"""The files that a person keeps: what was dropped, with a price for each row that could be appraised."""

import io
from typing import Final

import polars as pl

from appraiser_schema.frames import ROW_NUMBER

MADE: Final = "appraiser_"
"""Prefix of the columns that are added, so that none takes the place of the file's own."""

_FORMULA: Final = r"^[=+\-@\t\r]"
_NUMBER: Final = r"^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$"


def with_answers(source: pl.DataFrame, answers: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """The rows of the file with what was answered.

    Args:
        source: `row_number` and the columns of the file.
        answers: As `Answers.table` gives them.
        refused: `row_number` and `error`, what is wrong with rows that were not asked about.
    """
    told = pl.concat([answers, refused], how="diagonal").rename(
        {name: f"{MADE}{name}" for name in answers.columns if name != ROW_NUMBER}
    )
    return source.join(told, on=ROW_NUMBER, how="left", maintain_order="left").rename({ROW_NUMBER: f"{MADE}row"})


def to_csv(table: pl.DataFrame) -> bytes:
    """A CSV in UTF-8 that a spreadsheet opens without running anything in it.

    A cell that begins as a formula does gets an apostrophe in front (OWASP, CSV injection); a number does not.
    """
    flat = table.with_columns(pl.col(name).cast(pl.String) for name in _nested(table))
    texts = [name for name, dtype in flat.schema.items() if dtype == pl.String]
    safe = flat.with_columns(_harmless(name) for name in texts)
    renamed = safe.rename({name: _harmless_name(name) for name in safe.columns})
    # With its mark, so that Excel takes it for UTF-8.
    return b"\xef\xbb\xbf" + renamed.write_csv(None).encode()


def to_parquet(table: pl.DataFrame) -> bytes:
    """A Parquet file with the types that the columns have."""
    out = io.BytesIO()
    table.write_parquet(out)
    return out.getvalue()


def _harmless(name: str) -> pl.Expr:
    cell = pl.col(name)
    dangerous = cell.str.contains(_FORMULA) & ~cell.str.contains(_NUMBER)
    return pl.when(dangerous).then("'" + cell).otherwise(cell).alias(name)


def _harmless_name(name: str) -> str:
    return f"'{name}" if name[:1] in "=+-@\t\r" and name else name


def _nested(table: pl.DataFrame) -> list[str]:
    return [name for name, dtype in table.schema.items() if dtype.is_nested() or dtype == pl.Object]
