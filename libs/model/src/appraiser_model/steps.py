"""A bound of an interval as a function of the appraisal: at most a product and a limit, by pieces."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]

FARTHEST: Final = 500.0
"""Half widths are cut here: e to this power can be multiplied with any price. [logarithm of the price]"""

type Piece = tuple[float, float, float]
"""Start [USD], factor and limit [USD]."""


@dataclass(frozen=True)
class Steps:
    """A function of a price that never falls: in each piece the farther of a constant and a multiple of the price.

    Attributes:
        side: Which bound: for the upper one the farther is the greater, for the lower one the lesser.
        starts: Where the pieces begin, ascending; the first at 0. [USD], shape (p,)
        factors: By what the price is multiplied in each piece, shape (p,).
        limits: The constant of each piece. [USD], shape (p,)
    """

    side: Literal["lower", "upper"]
    starts: tuple[float, ...]
    factors: tuple[float, ...]
    limits: tuple[float, ...]

    def at(self, price_usd: Floats) -> Floats:
        """The bound for each price [USD], shape (n,)."""
        starts, factors, limits = self._arrays
        piece = starts.searchsorted(price_usd, side="right") - 1
        farther = np.maximum if self.side == "upper" else np.minimum
        bound: Floats = farther(price_usd * factors[piece], limits[piece])
        return bound

    def at_one(self, price_usd: float) -> float:
        """The bound for one price [USD], with the bits that `at` gives it."""
        piece = bisect_right(self.starts, price_usd) - 1
        farther = max if self.side == "upper" else min
        return farther(price_usd * self.factors[piece], self.limits[piece])

    @cached_property
    def _arrays(self) -> tuple[Floats, Floats, Floats]:
        return np.array(self.starts), np.array(self.factors), np.array(self.limits)


def upper_steps(edges: Sequence[float], bands: Sequence[float], half_widths: Sequence[Sequence[float]]) -> Steps:
    """The highest price that one of the bands lets into the interval.

    Args:
        edges: Appraisals between which the half widths hold, from 0 to infinity, shape (b + 1,). [USD]
        bands: Bounds of the bands of prices, from 0 to infinity, shape (m + 1,). [USD]
        half_widths: For each bin of appraisals, how far the logarithm of a price of each band may be from that of the
            appraisal, shape (b, m).
    """
    pieces: list[Piece] = []
    reached = 0.0
    for start, end, factors in _pieces(
        edges, bands, [[math.exp(min(half, FARTHEST)) for half in bin_] for bin_ in half_widths]
    ):
        within = _middle(start, end)
        spans = list(zip(factors, bands, bands[1:], strict=False))
        factor = max([f for f, low, high in spans if low <= within * f < high], default=1.0)
        limit = max([high for f, _, high in spans if high <= within * f], default=0.0)
        # From one bin to the next the half width may fall, but not the bound.
        pieces.append((start, factor, max(limit, reached)))
        reached = max(reached, limit, end * factor)
    return Steps("upper", *_columns(pieces))


def lower_steps(edges: Sequence[float], bands: Sequence[float], half_widths: Sequence[Sequence[float]]) -> Steps:
    """The lowest price that one of the bands lets into the interval; the arguments are those of `upper_steps`."""
    pieces: list[Piece] = []
    reached = math.inf
    for start, end, factors in reversed(
        _pieces(edges, bands, [[math.exp(-min(half, FARTHEST)) for half in bin_] for bin_ in half_widths])
    ):
        within = _middle(start, end)
        spans = list(zip(factors, bands, bands[1:], strict=False))
        factor = min([f for f, low, high in spans if low < within * f <= high], default=1.0)
        limit = min([low for f, low, _ in spans if within * f <= low], default=math.inf)
        pieces.append((start, factor, min(limit, reached)))
        reached = min(reached, limit, start * factor)
    return Steps("lower", *_columns(pieces[::-1]))


def _pieces(
    edges: Sequence[float], bands: Sequence[float], factors: Sequence[Sequence[float]]
) -> list[tuple[float, float, Sequence[float]]]:
    """Where no band is entered or filled: start and end of each piece, and the factors of its bin."""
    found = []
    for start, end, here in zip(edges, edges[1:], factors, strict=False):
        turns = {low / f for f, bounds in zip(here, pairwise(bands), strict=True) for low in bounds}
        stops = sorted({start, end, *[turn for turn in turns if start < turn < end]})
        found += [(left, right, here) for left, right in pairwise(stops)]
    return found


def _middle(start: float, end: float) -> float:
    return (start + end) / 2 if math.isfinite(end) else 2 * start + 1.0


def _columns(pieces: Sequence[Piece]) -> Any:
    return tuple(zip(*pieces, strict=True))
