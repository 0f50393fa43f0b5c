"""How far the listings of a batch have moved from those that the champion learned from."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from appraiser_model import inputs, stability

NUMBERS: Final = ("price", *inputs.NUMBERS)
CATEGORIES: Final = inputs.CATEGORIES

_DRAWS: Final = 1000
_RARELY: Final = 0.99
"""One batch in a hundred moves further by chance, were nothing to change."""

type Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shift:
    """How far a column has moved.

    Attributes:
        index: Population stability index; 0 is the same distribution.
        by_chance: Index that samples of these sizes seldom exceed where nothing has changed.
    """

    index: float
    by_chance: float


def shift(before: pl.Series, after: pl.Series, seed: int = 0) -> Shift:
    """Measure how far a column has moved, and how far it would seem to have moved by chance.

    The index itself does not grow with the number of rows, but among few rows chance makes it large: with ten bins it
    is about 9 / n where nothing has changed (Yurdakul and Naranjo, "Statistical properties of the population
    stability index", Journal of Risk Model Validation 14, 2020). Their approximation fails for empty bins, so the
    level of chance is drawn: both samples anew from what they have in common, a thousand times.

    Args:
        before: What was learned from, at least one value.
        after: What came now, at least one value.
        seed: Of the draws.
    """
    return shift_of_counts(*_counts(before, after), seed)


def shift_of_counts(old: Counts, new: Counts, seed: int = 0) -> Shift:
    """The same of rows that are counted by bin already, at least one on each side.

    Args:
        old: What was learned from, shape (b,).
        new: What came now, by the same bins.
        seed: Of the draws.
    """
    shares = (old + new) / (old + new).sum()
    rng = np.random.default_rng(seed)
    drawn = stability.stability_index(
        rng.multinomial(old.sum(), shares, _DRAWS), rng.multinomial(new.sum(), shares, _DRAWS)
    )
    return Shift(float(stability.stability_index(old, new)), float(np.quantile(drawn, _RARELY)))


def edges_of(before: pl.Series) -> NDArray[np.float64]:
    """The ends of the bins of a number: its deciles, each once."""
    return stability.edges_of(_numbers(before))


def number_shares(series: pl.Series, edges: NDArray[np.float64]) -> tuple[float, ...]:
    """Share of the values in each bin, the unknown last."""
    return tuple((stability.rows_by_bin(_numbers(series), edges) / max(1, len(series))).tolist())


def _counts(before: pl.Series, after: pl.Series) -> tuple[Counts, Counts]:
    """Rows by bin: deciles of a number in `before`, values of a category; the unknown are a bin of their own."""
    if before.dtype == pl.String:
        labels = pl.concat([before.unique(), after.unique()]).drop_nulls().unique().sort()
        codes = [_coded(series, labels) for series in (before, after)]
        old, new = (np.bincount(code, minlength=len(labels) + 1) for code in codes)
        return old, new
    edges = edges_of(before)
    old, new = (stability.rows_by_bin(_numbers(series), edges) for series in (before, after))
    return old, new


def _coded(series: pl.Series, labels: pl.Series) -> NDArray[np.int64]:
    """Which label each value is; what is unknown comes after the last."""
    return series.cast(pl.Enum(labels)).to_physical().cast(pl.Int64).fill_null(len(labels)).to_numpy()


def _numbers(series: pl.Series) -> NDArray[np.float64]:
    """The values, NaN where they are unknown."""
    values: NDArray[np.float64] = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return values
