"""What the feed and the pipeline would say about a file of listings."""

import datetime as dt
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from appraiser_cli.listing_file import read_listings
from appraiser_schema import RAW_COLUMNS, Status
from appraiser_schema.frames import ROW_NUMBER, check_clean, check_raw, coerce, normalise

_LOW_USD: Final = 300_000
_PLANNED: Final = (
    (pl.col("price") > _LOW_USD)
    | (pl.col("state") == "Massachusetts")
    | pl.col("status").is_in([Status.FOR_SALE.value, Status.SOLD.value])
)
"""Rows that stand in one of the batches into which the feed cuts a file, as the original source did."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule that rows broke.

    Attributes:
        rows: How many rows broke it.
        row: Number of the first of them, from 1.
        value: What stood there.
    """

    column: str
    rule: str
    rows: int
    row: int
    value: str


@dataclass(frozen=True, slots=True)
class Examined:
    """A file's rows, counted: each is usable, refused, incomplete or unplanned.

    Attributes:
        usable: Rows that would be trained on, repeats included.
        refused: Rows that the feed sends and the pipeline refuses.
        incomplete: Rows that the feed leaves out, because a value is missing or unreadable.
        unplanned: Complete rows that the feed leaves out, because they fit none of its batches.
        repeated: Usable rows that repeat an earlier one in every column.
        missing: Rows without a value, by column.
    """

    rows: int
    usable: int
    refused: int
    incomplete: int
    unplanned: int
    repeated: int
    missing: dict[str, int]
    faults: tuple[Fault, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def examine(path: Path) -> Examined:
    """Take a file through the doors that a batch goes through, as if it were received today.

    Raises:
        DataFileError: It cannot be read.
        ShapeError: It lacks columns of a listing.
    """
    frame = read_listings(path)
    typed = coerce(frame, extra_ok=True)
    complete = typed.good.drop_nulls()
    planned = complete.filter(_PLANNED)
    raw = check_raw(typed.good, as_of=dt.datetime.now(dt.UTC).date())
    clean = check_clean(normalise(raw.good))
    failures = pl.concat([typed.failures, raw.failures, clean.failures])
    good = clean.good.join(planned, on=ROW_NUMBER, how="semi").drop(ROW_NUMBER)
    return Examined(
        rows=frame.height,
        usable=good.height,
        refused=planned.height - good.height,
        incomplete=frame.height - complete.height,
        unplanned=complete.height - planned.height,
        repeated=good.height - good.n_unique() if good.height else 0,
        missing=_missing(typed.good.select(RAW_COLUMNS)),
        faults=_faults(failures),
    )


def _missing(frame: pl.DataFrame) -> dict[str, int]:
    return {column: rows for column, rows in frame.null_count().row(0, named=True).items() if rows}


def _faults(failures: pl.DataFrame) -> tuple[Fault, ...]:
    grouped = (
        failures.sort(ROW_NUMBER)
        .group_by("column", "rule", maintain_order=True)
        .agg(
            pl.col(ROW_NUMBER).n_unique().alias("rows"),
            pl.col(ROW_NUMBER).first().alias("row"),
            pl.col("value").first(),
        )
        .sort("rows", "column", "rule", descending=[True, False, False])
    )
    return tuple(
        Fault(row["column"], row["rule"], row["rows"], row["row"], "nothing" if row["value"] is None else row["value"])
        for row in grouped.iter_rows(named=True)
    )
