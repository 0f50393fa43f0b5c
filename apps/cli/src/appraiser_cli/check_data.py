"""What the pipeline would say about a file of listings."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from appraiser_cli.listing_file import read_listings
from appraiser_schema.frames import ROW_NUMBER, check_clean, check_raw, coerce, normalise


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
    """A file's rows, counted.

    Attributes:
        usable: Rows that would be trained on, repeats included.
        repeated: Rows among them that repeat an earlier one in every column.
    """

    rows: int
    usable: int
    refused: int
    repeated: int
    faults: tuple[Fault, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def examine(path: Path) -> Examined:
    """Take a file through the doors that a batch goes through.

    Raises:
        DataFileError: It cannot be read.
        ShapeError: It lacks columns of a listing.
    """
    frame = read_listings(path)
    typed = coerce(frame, extra_ok=True)
    raw = check_raw(typed.good)
    clean = check_clean(normalise(raw.good))
    failures = pl.concat([typed.failures, raw.failures, clean.failures])
    good = clean.good.drop(ROW_NUMBER)
    return Examined(
        rows=frame.height,
        usable=good.height,
        refused=frame.height - good.height,
        repeated=good.height - good.n_unique() if good.height else 0,
        faults=_faults(failures),
    )


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
