"""What the feed and the pipeline would say about a file of listings, read a portion at a time."""

import datetime as dt
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from appraiser_cli.errors import DataFileError
from appraiser_cli.listing_file import named, open_listings
from appraiser_schema import RAW_COLUMNS, Status
from appraiser_schema.files import CUT_RULE, Portion
from appraiser_schema.frames import FAILURE_SCHEMA, ROW_NUMBER, check_clean, check_raw, coerce, normalise

WHOLE_ROW: Final = "(whole row)"
"""Stands for the column where a row is none at all."""

_EXAMPLES: Final = 3
_LOW_USD: Final = 300_000
_PLANNED: Final = (
    (pl.col("price") > _LOW_USD)
    | (pl.col("state") == "Massachusetts")
    | pl.col("status").is_in([Status.FOR_SALE.value, Status.SOLD.value])
)
"""Rows that stand in one of the batches into which the feed cuts a file, as the original source did."""


@dataclass(frozen=True, slots=True)
class Example:
    """What stood in a row that broke a rule.

    Attributes:
        row: Its number, from 1; a header and blank lines are not counted.
        value: As it was written; None where nothing stood there.
    """

    row: int
    value: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule that rows broke.

    Attributes:
        column: Which; '(whole row)' where it has too few or too many cells.
        rows: How many rows broke it.
        examples: The worst of them, each with another value: numbers and dates farthest out, otherwise the first.
    """

    column: str
    rule: str
    rows: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Examined:
    """A file's rows, counted: each is usable, refused, incomplete or unplanned.

    Attributes:
        format: In which form the rows stand in the file.
        delimiter: What divides the cells of a CSV file; empty otherwise.
        ignored: Columns that no listing has.
        usable: Rows that would be trained on, repeats included.
        refused: Rows that the feed sends and the pipeline refuses.
        incomplete: Rows that the feed leaves out, because a value is missing or unreadable.
        unplanned: Complete rows that the feed leaves out, because they fit none of its batches.
        repeated: Usable rows that repeat an earlier one in every column.
        cut: Whether the file ends in the middle of a row.
        missing: Readable rows without a value, by column.
    """

    format: str
    delimiter: str
    ignored: tuple[str, ...]
    rows: int
    usable: int
    refused: int
    incomplete: int
    unplanned: int
    repeated: int
    cut: bool
    missing: dict[str, int]
    faults: tuple[Fault, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def examine(path: Path) -> Examined:
    """Take a file through the doors that a batch goes through, as if it were received today.

    Memory does not grow with the file, but for 8 bytes per usable row and a few examples per rule.

    Raises:
        DataFileError: It cannot be read, lacks columns of a listing, or has no rows.
    """
    file = open_listings(path)
    if lacking := [column for column in RAW_COLUMNS if column not in file.columns]:
        raise DataFileError(
            path,
            f"lacks the column(s) {', '.join(lacking)}, it has {', '.join(file.columns[:20])}; "
            f"give it a header with the columns {', '.join(RAW_COLUMNS)}",
        )
    tally = _Tally(dt.datetime.now(dt.UTC).date())
    with named(path):
        for portion in file.portions():
            tally.add(portion)
    if not tally.counts["rows"]:
        raise DataFileError(path, "has a header but no rows; give one with listings")
    return Examined(
        format=file.format.value,
        delimiter=file.delimiter,
        ignored=tuple(column for column in file.columns if column not in RAW_COLUMNS),
        **{name: tally.counts[name] for name in ("rows", "usable", "refused", "incomplete", "unplanned")},
        repeated=tally.repeated(),
        cut=any(fault.rule == CUT_RULE for fault in tally.faults()),
        missing={column: tally.missing[column] for column in RAW_COLUMNS if tally.missing[column]},
        faults=tally.faults(),
    )


class _Tally:
    """What the portions so far come to.

    Attributes:
        counts: Rows by what becomes of them.
        missing: Rows without a value, by column.
    """

    def __init__(self, as_of: dt.date) -> None:
        self.counts: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self._as_of = as_of
        self._broken: Counter[tuple[str, str]] = Counter()
        self._examples = pl.DataFrame(schema=FAILURE_SCHEMA)
        self._hashes: list[NDArray[np.uint64]] = []

    def add(self, portion: Portion) -> None:
        """Count the rows of a portion."""
        # What stands in no row of a portion of JSON is unknown there; that the file has it is known by now.
        typed = coerce(portion.rows, missing_ok=True, extra_ok=True)
        complete = typed.good.drop_nulls().filter(pl.all_horizontal(pl.col(pl.Float64).is_finite()))
        planned = complete.filter(_PLANNED)
        raw = check_raw(typed.good, as_of=self._as_of)
        clean = check_clean(normalise(raw.good))
        good = clean.good.join(planned, on=ROW_NUMBER, how="semi").drop(ROW_NUMBER)
        self._hashes.append(good.hash_rows().to_numpy())
        self._count_faults(pl.concat([_no_rows(portion.broken), typed.failures, raw.failures, clean.failures]))
        self.missing.update(typed.good.select(RAW_COLUMNS).null_count().row(0, named=True))
        self.counts.update(
            rows=portion.height,
            usable=good.height,
            refused=planned.height - good.height,
            incomplete=portion.height - complete.height,
            unplanned=complete.height - planned.height,
        )

    def repeated(self) -> int:
        """Usable rows whose 64-bit hash an earlier one has; wrong with a chance of n^2 / 2^65 for n rows."""
        different = 0
        for part in range(16):  # One sixteenth of the hashes is sorted at a time, to save memory.
            same = [hashes[hashes >> np.uint64(60) == part] for hashes in self._hashes]
            different += len(np.unique(np.concatenate(same)))
        return self.counts["usable"] - different

    def faults(self) -> tuple[Fault, ...]:
        """The broken rules, those of most rows first."""
        examples: dict[tuple[str, str], list[Example]] = {key: [] for key in self._broken}
        for row in self._examples.iter_rows(named=True):
            examples[row["column"], row["rule"]].append(Example(row[ROW_NUMBER], row["value"]))
        order = sorted(self._broken, key=lambda key: (-self._broken[key], key))
        return tuple(Fault(*key, self._broken[key], tuple(examples[key])) for key in order)

    def _count_faults(self, failures: pl.DataFrame) -> None:
        rows = failures.group_by("column", "rule").agg(pl.col(ROW_NUMBER).n_unique())
        self._broken.update({(column, rule): count for column, rule, count in rows.iter_rows()})
        self._examples = _worst(pl.concat([self._examples, failures]))


def _no_rows(broken: pl.DataFrame) -> pl.DataFrame:
    return broken.select(ROW_NUMBER, pl.lit("read").alias("stage"), pl.lit(WHOLE_ROW).alias("column"), "rule", "value")


def _worst(failures: pl.DataFrame) -> pl.DataFrame:
    """A few failures of each rule, by how far a number or a date lies out, then by row."""
    size = pl.coalesce(
        pl.col("value").cast(pl.Float64, strict=False),
        pl.col("value").str.to_date("%Y-%m-%d", strict=False).cast(pl.Int32).cast(pl.Float64),
    )
    outwards = pl.when(pl.col("rule").str.starts_with("at least")).then(size).otherwise(-size)
    return (
        failures.sort(outwards, ROW_NUMBER, nulls_last=True)
        .unique(["column", "rule", "value"], keep="first", maintain_order=True)
        .group_by("column", "rule", maintain_order=True)
        .head(_EXAMPLES)
        .select(FAILURE_SCHEMA.names())
    )
