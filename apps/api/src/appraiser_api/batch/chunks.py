"""A part of a table that was read, and what could not be read of it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from appraiser_api.batch.errors import BatchShapeError
from appraiser_schema import LISTING_COLUMNS, RAW_COLUMNS, Status
from appraiser_schema.frames import ROW_NUMBER

CHUNK_ROWS: Final = 32_768
"""Most rows that are read and checked together: some 10 MB."""

FIRST_ROWS: Final = 2_048
"""Rows of the first chunk: until it is checked, nothing is appraised."""

MOST_COLUMNS: Final = 1_000
"""Tables of people have some dozens."""

NOT_ASKED: Final = frozenset(RAW_COLUMNS) - frozenset(LISTING_COLUMNS)
"""Columns of a batch of the source that say nothing about the house: they may stand there, and are not looked at."""


def chunk_rows(before: int) -> int:
    """Rows of the chunk that follows so many rows: as many as all of them, but no fewer than the first had.

    To appraise a row takes three times as long as to read and check it, or more, and a chunk is read and checked by one
    thread while another one appraises those before it.
    """
    return min(max(FIRST_ROWS, before), CHUNK_ROWS)


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that could not be read at all, or a cell of the wrong type.

    Attributes:
        row: Number of the row, from 1.
        column: Which column; 'row' where it is the whole of it.
        rule: What it must be, after the words 'must be'.
        value: What it was, as text.
    """

    row: int
    column: str
    rule: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of a table, as they came.

    Attributes:
        frame: `row_number` and some of the columns of a listing; rows with a fault are not in it.
        faults: What could not be read.
    """

    frame: pl.DataFrame
    faults: list[Fault] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows were sent, readable or not."""
        return self.frame.height + len({fault.row for fault in self.faults})


def check_names(names: list[str]) -> tuple[str, ...]:
    """Look at the columns of a table before its rows.

    Returns:
        Columns that are not looked at, in their order.

    Raises:
        BatchShapeError: The state is missing, without which no house can be appraised; a name stands there twice; or
            there are more than MOST_COLUMNS.
    """
    if len(names) > MOST_COLUMNS:
        raise BatchShapeError(f"must have at most {MOST_COLUMNS:,} columns", str(len(names)))
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise BatchShapeError("must name each column once", ", ".join(twice))
    if "state" not in names:
        raise BatchShapeError("must have a column 'state'", ", ".join(names))
    return tuple(name for name in names if name not in LISTING_COLUMNS and name not in NOT_ASKED)


def numbered(frame: pl.DataFrame, first: int) -> pl.DataFrame:
    """The columns of a listing, with the numbers of the rows from `first` on."""
    known = [name for name in LISTING_COLUMNS if name in frame.columns]
    return frame[known].with_row_index(ROW_NUMBER, offset=first)


def with_status(cells: list[object], absent: object) -> list[object]:
    """Statuses of houses: for sale where a house does not state one."""
    return [Status.FOR_SALE.value if cell is absent else cell for cell in cells]
