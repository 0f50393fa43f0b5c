"""How sure an error is: percentile intervals of the bootstrap (Efron, 1979; Efron and Tibshirani, 1993, chapter 13)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from appraiser_model.errors import ModelError

type Floats = NDArray[np.float64]
type Interval = tuple[float, float]

RESAMPLES: Final = 1000
"""Efron and Tibshirani (1993, chapter 13) ask for a thousand for the bounds of a percentile interval."""

CONFIDENCE: Final = 0.95

_DRAWS_AT_ONCE: Final = 2_000_000
"""Rows that are drawn together, 40 MB, so that memory does not grow with the resamples; one resample of more rows than
this takes 20 bytes for each."""


@dataclass(frozen=True, slots=True)
class MeanDifference:
    """How far one model's mean absolute error lies from another's, on the same rows.

    Attributes:
        usd: Interval of the first less the second. [USD]
        share: Interval of the first over the second, less 1; below 0 the first is better.
    """

    usd: Interval
    share: Interval


def mean_difference(ours_usd: ArrayLike, theirs_usd: ArrayLike, seed: int) -> MeanDifference:
    """Compare mean absolute errors, row by row.

    A resample takes both errors of a row, since a house that is hard to appraise is hard for both.

    Args:
        ours_usd: Absolute errors of one model. [USD], shape (n,), n > 0
        theirs_usd: Absolute errors of the other on the same rows. [USD], shape (n,)
        seed: The same seed gives the same interval.

    Raises:
        ModelError: There are no rows, or the shapes differ.
    """
    ours, theirs = _errors(ours_usd), _errors(theirs_usd)
    if ours.shape != theirs.shape:
        raise ModelError(f"errors of shape {ours.shape} cannot be paired with errors of shape {theirs.shape}")
    # One complex number a row: both errors are gathered at once.
    sums = _resampled_sums(ours + 1j * theirs, np.random.default_rng(seed))
    difference = (sums.real - sums.imag) / len(ours)
    share = np.divide(sums.real, sums.imag, out=np.ones(RESAMPLES), where=sums.imag > 0) - 1
    return MeanDifference(_percentiles(difference), _percentiles(share))


def median_interval(values: ArrayLike, seed: int) -> Interval:
    """Interval of a median, in little more time than sorting the values takes.

    No resample is drawn: the k-th smallest of n draws with replacement is the value whose rank is n times the k-th
    smallest of n uniform numbers, which follows the beta distribution (k, n - k + 1) (David and Nagaraja, Order
    Statistics, 2003, section 2.3). That is the bootstrap's own distribution, not an approximation of it.

    Args:
        values: Such as absolute percentage errors; any order, shape (n,), n > 0.
        seed: The same seed gives the same interval.

    Raises:
        ModelError: There are no values.
    """
    ordered = np.sort(_errors(values))
    rng, rows = np.random.default_rng(seed), len(ordered)
    upper = rng.beta(rows // 2 + 1, rows - rows // 2, RESAMPLES)
    medians = ordered[_ranks(upper, rows)]
    if rows % 2 == 0:
        # Below its neighbour, the greatest of the k other uniform numbers is that neighbour times U^(1/k).
        lower = upper * rng.random(RESAMPLES) ** (2 / rows)
        medians = (medians + ordered[_ranks(lower, rows)]) / 2
    return _percentiles(medians)


def _errors(values: ArrayLike) -> Floats:
    errors = np.asarray(values, dtype=np.float64)
    if errors.ndim != 1 or len(errors) == 0:
        raise ModelError(f"no interval can be had of values of shape {errors.shape}; give one row at least")
    return errors


def _ranks(uniform: Floats, rows: int) -> NDArray[np.int64]:
    return np.minimum((uniform * rows).astype(np.int64), rows - 1)


def _resampled_sums(values: NDArray[np.complex128], rng: np.random.Generator) -> NDArray[np.complex128]:
    rows = len(values)
    at_once = max(1, _DRAWS_AT_ONCE // rows)
    sums = np.empty(RESAMPLES, dtype=np.complex128)
    for start in range(0, RESAMPLES, at_once):
        part = sums[start : start + at_once]
        part[:] = values[rng.integers(0, rows, (len(part), rows), dtype=np.int32)].sum(axis=1)
    return sums


def _percentiles(statistics: Floats) -> Interval:
    low, high = np.quantile(statistics, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist()
    return low, high
