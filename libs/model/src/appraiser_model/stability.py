"""The population stability index: how far shares have moved. Pipeline and service measure by this one definition."""

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS: Final = 10
LEAST_SHARE: Final = 1e-4
"""Stands in for an empty bin, whose logarithm would be infinite."""


def stability_index(before: ArrayLike, after: ArrayLike) -> NDArray[np.float64]:
    """Population stability index: 0 is the same distribution, above 0.25 it has shifted.

    The sum over bins of (after - before) * ln(after / before), of shares. Source: Siddiqi, Credit Risk Scorecards
    (2006), chapter 9. An effect size: it does not grow with the number of rows, as the p-value of a test does.

    Args:
        before: Rows by bin, or their shares, shape (..., b); each row sums to more than 0.
        after: The same of what came later.

    Returns:
        Shape (...).
    """
    old, new = (_shares(np.asarray(rows, dtype=np.float64)) for rows in (before, after))
    index: NDArray[np.float64] = ((new - old) * np.log(new / old)).sum(axis=-1)
    return index


def edges_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ends of the bins of a number: its deciles, each once.

    Args:
        values: Shape (n,); NaN is unknown and has a bin of its own.
    """
    known = values[~np.isnan(values)]
    return np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else known


def rows_by_bin(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many values each bin holds, shape (len(edges) + 2,): i those up to and with edge i, the last the unknown."""
    # The unknown come last. Where many are counted, to sort them costs a quarter of a search for each.
    up_to = np.searchsorted(np.sort(values), edges, side="right")
    known = len(values) - np.count_nonzero(np.isnan(values))
    return np.diff([0, *up_to.tolist(), known, len(values)])


def _shares(rows: NDArray[Any]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = np.maximum(rows / rows.sum(axis=-1, keepdims=True), LEAST_SHARE)
    return shares
