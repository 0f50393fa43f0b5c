"""Checks and appraises a chunk of houses: prices for the good rows, and for the others what is wrong with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from appraiser_api.batch.chunks import Chunk, Fault
from appraiser_api.wording import plain_text
from appraiser_model import Appraised, ValuationModel
from appraiser_schema.frames import FAILURE_SCHEMA, ROW_NUMBER, clean_columns

PART_ROWS: Final = 4_096
"""Rows that one thread appraises together: some 50 ms of work."""

LEAST_ROWS: Final = 400
"""A part of fewer rows costs another thread more than it spares the first."""

_ERROR: Final = pl.Struct({"field": pl.String, "rule": pl.String, "value": pl.String})
SCHEMA: Final = pl.Schema(
    {
        "row": pl.UInt32(),
        "price_usd": pl.Float64(),
        "lower_usd": pl.Float64(),
        "upper_usd": pl.Float64(),
        "errors": pl.List(_ERROR),
    }
)
"""What is answered for each row: a price with its interval, or what is wrong with the row."""

_NO_ERRORS: Final = pl.Series("errors", [None], SCHEMA["errors"])


@dataclass(frozen=True, slots=True)
class Checked:
    """Rows that were checked.

    Attributes:
        good: The clean listings, numbered.
        features: What the model's encoder makes of them, float32, one row for each.
        refused: `SCHEMA`, one line per row that is no listing.
    """

    good: pl.DataFrame
    features: NDArray[np.float32]
    refused: pl.DataFrame

    def divided(self, threads: int) -> Iterator["Checked"]:
        """The same rows in parts of one size, in their order: one for each thread where there are rows enough."""
        rows = self.good.height
        wanted = max(-(-rows // PART_ROWS), min(threads, rows // LEAST_ROWS), 1)
        size = max(1, -(-rows // wanted))
        starts = list(range(0, max(rows, 1), size))
        # What was refused goes with the good rows before it.
        firsts = self.good[ROW_NUMBER].to_numpy()[starts[1:]]
        cuts = np.searchsorted(self.refused["row"].to_numpy(), firsts).tolist()
        for start, (cut, end) in zip(starts, pairwise([0, *cuts, self.refused.height]), strict=True):
            features = self.features[start : start + size]
            yield Checked(self.good.slice(start, size), features, self.refused.slice(cut, end - cut))


@dataclass(frozen=True, slots=True)
class Answered:
    """Rows that were appraised, and those between them that were refused.

    Attributes:
        rows: The numbers of those that have a price.
        appraised: Their prices.
        refused: `SCHEMA`, one line per row that is no listing.
    """

    rows: pl.Series
    appraised: Appraised
    refused: pl.DataFrame

    @property
    def height(self) -> int:
        """How many rows were sent."""
        return len(self.rows) + self.refused.height


def check(chunk: Chunk, model: ValuationModel) -> Checked:
    """Part the rows that are listings from the others, and make features of them.

    Of a whole chunk at once: a place that it names a hundred times is looked up once.
    """
    clean, columns = clean_columns(chunk.frame)
    return Checked(clean.good, model.encoder.transform(columns), _refused(clean.failures, chunk.faults))


def answers(parts: Sequence[Answered]) -> pl.DataFrame:
    """`SCHEMA`, one line per row that was sent, in their order."""
    rows = pl.concat([part.rows for part in parts]).alias("row")
    prices = (
        pl.Series(name, np.concatenate([getattr(part.appraised, name) for part in parts]))
        for name in ("price_usd", "lower_usd", "upper_usd")
    )
    priced = pl.DataFrame([rows, *prices, _NO_ERRORS.new_from_index(0, len(rows))])
    refused = [part.refused for part in parts if not part.refused.is_empty()]
    return pl.concat([priced, *refused]).sort("row") if refused else priced


def _refused(failures: pl.DataFrame, faults: list[Fault]) -> pl.DataFrame:
    """One line per row that has no price."""
    if failures.is_empty() and not faults:
        return pl.DataFrame(schema=SCHEMA)
    unread = pl.DataFrame(
        [(f.row, "read", f.column, f.rule, f.value) for f in faults], schema=FAILURE_SCHEMA, orient="row"
    )
    short = pl.col("value").map_elements(plain_text, return_dtype=pl.String)
    every = pl.concat([failures.select(FAILURE_SCHEMA.names()), unread]).with_columns(short)
    error = pl.struct(field="column", rule=pl.concat_str(pl.lit("must be "), "rule"), value="value")
    return (
        every.sort(ROW_NUMBER, "column", "rule")
        .group_by(pl.col(ROW_NUMBER).alias("row"), maintain_order=True)
        .agg(error.alias("errors"))
        .select(
            pl.col("row").cast(pl.UInt32),
            *(pl.lit(None, pl.Float64).alias(name) for name in ("price_usd", "lower_usd", "upper_usd")),
            "errors",
        )
    )
