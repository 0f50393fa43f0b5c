"""How far the listings of a batch have moved from those that the champion learned from."""

from typing import Final

import numpy as np
import polars as pl

NUMBERS: Final = ("price", "bed", "bath", "acre_lot", "house_size")
CATEGORIES: Final = ("status", "state")

_BINS: Final = 10
_LEAST_SHARE: Final = 1e-4
"""Stands in for an empty bin, whose logarithm would be infinite."""


def population_stability(before: pl.Series, after: pl.Series) -> float:
    """Population stability index of one column: 0 is the same distribution.

    The sum over bins of (after - before) * ln(after / before), of shares. Bins of a number are the deciles of
    `before`, of a category its values; what is unknown is a bin of its own. Source: Siddiqi, Credit Risk Scorecards
    (2006), chapter 9. An effect size: it does not grow with the number of rows, as the p-value of a test does.

    Args:
        before: What was learned from, at least one value.
        after: What came now, at least one value.
    """
    if before.dtype == pl.String:
        labels = sorted(set(before.drop_nulls()) | set(after.drop_nulls()))
        bins = {label: i for i, label in enumerate(labels)}
        codes = [np.array([bins.get(v, len(bins)) for v in series.to_list()]) for series in (before, after)]
        size = len(bins) + 1
    else:
        known = before.drop_nulls().to_numpy()
        edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1])) if len(known) else known
        size = len(edges) + 2
        codes = [_binned(series, edges) for series in (before, after)]
    old, new = (np.maximum(np.bincount(code, minlength=size) / len(code), _LEAST_SHARE) for code in codes)
    return float(((new - old) * np.log(new / old)).sum())


def _binned(series: pl.Series, edges: np.ndarray) -> np.ndarray:
    values = series.fill_null(np.nan).to_numpy()
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))
