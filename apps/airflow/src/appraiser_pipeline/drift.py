"""How far the listings of a batch have moved from those that the champion learned from."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

NUMBERS: Final = ("price", "bed", "bath", "acre_lot", "house_size")
CATEGORIES: Final = ("status", "state")

_BINS: Final = 10
_LEAST_SHARE: Final = 1e-4
"""Stands in for an empty bin, whose logarithm would be infinite."""

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
    old, new = _counts(before, after)
    shares = (old + new) / (old + new).sum()
    rng = np.random.default_rng(seed)
    drawn = _index(rng.multinomial(old.sum(), shares, _DRAWS), rng.multinomial(new.sum(), shares, _DRAWS))
    return Shift(float(_index(old, new)), float(np.quantile(drawn, _RARELY)))


def population_stability(before: pl.Series, after: pl.Series) -> float:
    """Population stability index of one column: 0 is the same distribution.

    The sum over bins of (after - before) * ln(after / before), of shares. Bins of a number are the deciles of
    `before`, of a category its values; what is unknown is a bin of its own. Source: Siddiqi, Credit Risk Scorecards
    (2006), chapter 9. An effect size: it does not grow with the number of rows, as the p-value of a test does.

    Args:
        before: What was learned from, at least one value.
        after: What came now, at least one value.
    """
    return float(_index(*_counts(before, after)))


def edges_of(before: pl.Series) -> NDArray[np.float64]:
    """The ends of the bins of a number: its deciles, each once."""
    known: NDArray[np.float64] = before.drop_nulls().to_numpy()
    return np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1])) if len(known) else known


def number_shares(series: pl.Series, edges: NDArray[np.float64]) -> tuple[float, ...]:
    """Share of the values in each bin, the unknown last."""
    counts = np.bincount(_binned(series, edges), minlength=len(edges) + 2)
    return tuple((counts / max(1, len(series))).tolist())


def _index(old: Counts, new: Counts) -> NDArray[np.float64]:
    """The index of counts by bin, shape (..., b)."""
    before, after = (np.maximum(counts / counts.sum(axis=-1, keepdims=True), _LEAST_SHARE) for counts in (old, new))
    index: NDArray[np.float64] = ((after - before) * np.log(after / before)).sum(axis=-1)
    return index


def _counts(before: pl.Series, after: pl.Series) -> tuple[Counts, Counts]:
    """Rows by bin."""
    if before.dtype == pl.String:
        labels = pl.concat([before.unique(), after.unique()]).drop_nulls().unique().sort()
        codes = [_coded(series, labels) for series in (before, after)]
        size = len(labels) + 1
    else:
        edges = edges_of(before)
        size = len(edges) + 2
        codes = [_binned(series, edges) for series in (before, after)]
    old, new = (np.bincount(code, minlength=size) for code in codes)
    return old, new


def _coded(series: pl.Series, labels: pl.Series) -> NDArray[np.int64]:
    """Which label each value is; what is unknown comes after the last."""
    return series.cast(pl.Enum(labels)).to_physical().cast(pl.Int64).fill_null(len(labels)).to_numpy()


def _binned(series: pl.Series, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    values = series.fill_null(np.nan).to_numpy()
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))
