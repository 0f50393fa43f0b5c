"""A portion of a file: rows as they were written, and what is no row."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from appraiser_schema.listing import RAW_COLUMNS

ROW_NUMBER: Final = "row_number"
"""The column of `frames.ROW_NUMBER`, named again because that module brings all the rules."""

NULLS: Final = ("", "-", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""Words that stand for nothing in people's files."""

PORTION_BYTES: Final = 4 << 20
"""Some 40,000 rows of CSV: large enough for the threads of polars, small beside what its import takes."""

LONGEST_ROW_BYTES: Final = 4 << 20
"""A row that has not ended by then never will: a quote is open, or it is no table."""

CUT_RULE: Final = "a whole row; the file was cut off here, so bring it again"

_SHOWN: Final = 200
"""Characters of a broken row that are kept."""

BROKEN_SCHEMA: Final = pl.Schema({ROW_NUMBER: pl.UInt32, "rule": pl.String, "value": pl.String})


@dataclass(frozen=True, slots=True)
class Portion:
    """Some consecutive rows of a file.

    Attributes:
        rows: 'row_number' from 1 over the whole file, blank lines not counted, and the file's columns. Texts of listing
            columns are without blanks at their ends, and null where a word for nothing stands.
        broken: What stands in the place of a row and is none: row_number, the rule it breaks, its beginning.
    """

    rows: pl.DataFrame
    broken: pl.DataFrame

    @property
    def height(self) -> int:
        """Number of rows, broken ones included."""
        return self.rows.height + self.broken.height


def broken_rows(rows: Iterable[tuple[int, str, str]]) -> pl.DataFrame:
    """Rows that are none, as number, rule and text."""
    shown = [(number, rule, text.strip("\r\n")[:_SHOWN]) for number, rule, text in rows]
    return pl.DataFrame(shown, schema=BROKEN_SCHEMA, orient="row")


def plain(rows: pl.DataFrame, *, decimal_comma: bool = False) -> pl.DataFrame:
    """Write the cells of listing columns the one way in which readers expect them, whatever the format.

    Args:
        rows: A table with any columns.
        decimal_comma: Whether a comma divides a number, as where the semicolon divides cells.
    """
    listing = [column for column in rows.columns if column in RAW_COLUMNS]
    short = [column for column in listing if rows.schema[column] == pl.Float32]
    texts = [c for c in listing if rows.schema[c] in (pl.String, pl.Categorical, pl.Enum)]
    # By way of the shortest text, so that 0.38 does not become 0.3799999952316284.
    rows = rows.with_columns(pl.col(short).cast(pl.String).cast(pl.Float64))
    stripped = pl.col(texts).cast(pl.String).str.strip_chars()
    rows = rows.with_columns(pl.when(~stripped.is_in(NULLS)).then(stripped))
    return rows.with_columns(pl.col(texts).str.replace(r"^(-?\d+),(\d+)$", "$1.$2")) if decimal_comma else rows
