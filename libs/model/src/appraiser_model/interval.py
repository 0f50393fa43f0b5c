"""Prediction intervals: how far the price of a house may lie from its appraisal."""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]

ROWS_PER_BIN: Final = 250
"""With 250 calibration rows the coverage of a bin lies within about 4 points of the 90 % it aims at (the beta
distribution of Vovk, 2012)."""

ROWS_PER_KIND: Final = 50
"""Of fewer rows, the others are a better guide than the few: the coverage of 50 lies within about 9 points."""

MOST_BINS: Final = 5


@dataclass(frozen=True)
class Bins:
    """Half widths by appraised price.

    Attributes:
        edges_usd: Prices that part the bins, ascending, shape (b - 1,).
        half_widths_log: Half width of each bin, in units of the natural logarithm of the price, shape (b,).
    """

    edges_usd: tuple[float, ...]
    half_widths_log: tuple[float, ...]

    def factors(self, price_usd: Floats) -> Floats:
        """What each price is multiplied with for its lower and its upper bound, shape (n, 2)."""
        found: Floats = self._factors[self._edges.searchsorted(price_usd, side="right")]
        return found

    @cached_property
    def _edges(self) -> Floats:
        return np.array(self.edges_usd, dtype=np.float64)

    @cached_property
    def _factors(self) -> Floats:
        return np.array([(math.exp(-half), math.exp(half)) for half in self.half_widths_log])


@dataclass(frozen=True, slots=True)
class ConformalInterval:
    """Split conformal intervals on the logarithm of the price.

    The half width is the quantile of the absolute residuals of calibration rows that the model has not seen
    (Papadopoulos and others, 2002; with the finite-sample rank of Lei and others, 2018), taken apart by kinds of houses
    that can be told before the price is known (Mondrian, Vovk and others, 2005): whether the living area is known,
    and how dear the appraisal is. It holds the stated share of houses of each kind, as long as new houses are like
    those it was calibrated on.

    Attributes:
        coverage: Share of houses that the interval shall hold.
        rows: Calibration rows, copies with gaps (`gaps.py`) among them: twice the listings where there are such copies.
        size_known: Bins for houses with a known living area.
        size_unknown: Bins for the others.
    """

    coverage: float
    rows: int
    size_known: Bins
    size_unknown: Bins

    @classmethod
    def calibrate(cls, residual_log: Floats, price_usd: Floats, size_known: NDArray[np.bool_], coverage: float) -> Self:
        """Learn the half widths.

        Args:
            residual_log: Logarithm of the true price less that of the appraisal, shape (n,), n >= `least_rows`.
            price_usd: The appraisals. [USD], shape (n,)
            size_known: Whether the living area is known, shape (n,).
            coverage: Share of houses that the interval shall hold.
        """
        miss = np.abs(residual_log)
        kinds = [
            rows if rows.sum() >= ROWS_PER_KIND else np.ones(len(miss), bool) for rows in (size_known, ~size_known)
        ]
        known, unknown = [_bins(miss[rows], price_usd[rows], coverage) for rows in kinds]
        return cls(coverage, len(miss), known, unknown)

    def factors(self, price_usd: Floats, size_known: NDArray[np.bool_]) -> Floats:
        """What each appraisal is multiplied with for its lower and its upper bound, shape (n, 2)."""
        factors = self.size_known.factors(price_usd)
        if not size_known.all():
            factors[~size_known] = self.size_unknown.factors(price_usd[~size_known])
        return factors

    def to_state(self) -> dict[str, Any]:
        """What `from_state` takes, as JSON values."""
        bins = {name: getattr(self, name) for name in ("size_known", "size_unknown")}
        return {"coverage": self.coverage, "rows": self.rows} | {
            name: {"edges_usd": list(b.edges_usd), "half_widths_log": list(b.half_widths_log)}
            for name, b in bins.items()
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Rebuild from what `to_state` gave, bit for bit.

        Raises:
            KeyError, TypeError, ValueError: The state is no interval.
        """
        return cls(
            float(state["coverage"]), int(state["rows"]), _read(state["size_known"]), _read(state["size_unknown"])
        )


def least_rows(coverage: float) -> int:
    """Fewest calibration rows of which a quantile for this coverage can be taken: 9 for 90 %."""
    return int(np.ceil(round(coverage / (1 - coverage), 9)))


def _bins(miss: Floats, price_usd: Floats, coverage: float) -> Bins:
    number = int(np.clip(len(miss) // ROWS_PER_BIN, 1, MOST_BINS))
    edges = np.unique(np.quantile(price_usd, np.arange(1, number) / number)) if number > 1 else np.array([])
    index = np.searchsorted(edges, price_usd, side="right")
    fewest = np.bincount(index, minlength=len(edges) + 1).min()
    if fewest < ROWS_PER_BIN // 2:  # many equal appraisals: one bin for all
        edges, index = np.array([]), np.zeros_like(index)
    widths = [_quantile(miss[index == i], coverage) for i in range(len(edges) + 1)]
    return Bins(tuple(edges.tolist()), tuple(widths))


def _quantile(miss: Floats, coverage: float) -> float:
    rank = int(np.ceil(round((len(miss) + 1) * coverage, 9)))
    return float(np.sort(miss)[rank - 1])


def _read(state: dict[str, Any]) -> Bins:
    bins = Bins(tuple(map(float, state["edges_usd"])), tuple(map(float, state["half_widths_log"])))
    ascending = all(a < b for a, b in pairwise(bins.edges_usd))
    if len(bins.half_widths_log) != len(bins.edges_usd) + 1 or not ascending or min(bins.half_widths_log) < 0:
        raise ValueError("half widths and edges do not fit together")
    return bins
