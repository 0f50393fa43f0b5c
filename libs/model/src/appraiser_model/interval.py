"""Prediction intervals: in which span the price of a house lies, around its appraisal."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from appraiser_features import FEATURES
from appraiser_model.steps import Steps, lower_steps, upper_steps

type Floats = NDArray[np.float64]
type Kinds = NDArray[np.int64]

ROWS_PER_BAND: Final = 150
"""With 150 calibration rows the coverage of a band lies within about 5 points of the 90 % it aims at (the beta
distribution of Vovk, 2012). Above 98.7 % a band needs more: twice what a quantile can be taken of."""

MOST_BANDS: Final = 20

ROWS_PER_BIN: Final = 100
"""The mean of 100 absolute residuals is known to about a tenth of itself."""

MOST_BINS: Final = 5

ROWS_PER_KIND: Final = 30
"""Of fewer rows, the others are a better guide than the few."""

LEAST_ERROR: Final = 1e-3
"""Of houses appraised without any error (copies of each other) an error is still expected. [logarithm of the price]"""

_COLUMNS: Final = tuple([[f.name for f in FEATURES].index(name) for name in ("bed", "bath", "acre_lot", "house_size")])


class Kind(IntEnum):
    """How much is known of a house: of the less is known, the farther an appraisal may be off."""

    COMPLETE = 0
    """Bedrooms, bathrooms, land and living area."""
    SIZE_KNOWN = 1
    """The living area, but not all of the others."""
    BEDROOMS_KNOWN = 2
    """Bedrooms, but not the living area."""
    UNKNOWN = 3
    """Neither: often a piece of land."""


def kinds_of(matrix: NDArray[np.float32]) -> Kinds:
    """The `Kind` of each house, from its features, shape (n,)."""
    bed, bath, land, size = (~np.isnan(matrix[:, column]) for column in _COLUMNS)
    without_size = np.where(bed, Kind.BEDROOMS_KNOWN, Kind.UNKNOWN)
    return np.where(size, np.where(bed & bath & land, Kind.COMPLETE, Kind.SIZE_KNOWN), without_size)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """n listings that the model was not fitted to, beside their appraisals; each of shape (n,).

    Attributes:
        price_usd: The true prices. [USD], > 0
        appraised_usd: The appraisals. [USD], > 0
        kind: The `Kind` of each.
    """

    price_usd: Floats
    appraised_usd: Floats
    kind: Kinds

    @property
    def miss_log(self) -> Floats:
        """How far each appraisal is off: the absolute residual of the natural logarithm."""
        return np.abs(np.log(self.price_usd / self.appraised_usd))


@dataclass(frozen=True)
class Errors:
    """How far appraisals are off as a rule, by appraised price.

    Attributes:
        edges_usd: Appraisals that part the bins, ascending, shape (b - 1,).
        means_log: Mean absolute residual of each bin, in units of the natural logarithm of the price, shape (b,).
    """

    edges_usd: tuple[float, ...]
    means_log: tuple[float, ...]

    def of(self, appraised_usd: Floats) -> Floats:
        """Mean absolute residual of houses with these appraisals, shape (n,)."""
        return np.array(self.means_log)[np.searchsorted(self.edges_usd, appraised_usd, side="right")]


@dataclass(frozen=True)
class ConformalInterval:
    """Normalised, label-conditional split conformal intervals on the logarithm of the price.

    How far appraisals of a kind of houses are off as a rule is taken from one set of listings: their mean absolute
    residual, by what is known of the house and how dear the appraisal is (normalised nonconformity, Papadopoulos and
    others, 2002), and so are the bands of prices. Of other listings, which nothing else has seen, each residual is
    divided by it; and within each band of the TRUE price the quantile of these multiples is taken, with the
    finite-sample rank of Lei and others (2018).
    A price belongs to the interval if its distance to the appraisal is no more than the multiple of its own band allows
    (a Mondrian taxonomy by the label: Vovk, Gammerman and Shafer, 2005, section 4.5; Lofstrom and others, 2015, "Bias
    reduction through conditional conformal prediction"); the interval is the hull of these prices.

    So at least the stated share of the houses of *every* price band lies inside, the dearest too, whatever the model
    is, as long as new houses are like those it was calibrated on. A quantile for all would hold the share on average
    only: of the dearest houses it held 73 %, as they are those that were appraised too low. The price is the width.

    Attributes:
        coverage: Share of houses of each band that the interval shall hold.
        rows: Calibration rows.
        bands_usd: True prices that part the bands, ascending, shape (m - 1,).
        multiples: How many times the usual error a price of each band may be off, shape (m,).
        errors: The usual errors, one entry for each `Kind`.
    """

    coverage: float
    rows: int
    bands_usd: tuple[float, ...]
    multiples: tuple[float, ...]
    errors: tuple[Errors, ...]

    @classmethod
    def calibrate(cls, usual: Held, calibration: Held, coverage: float) -> Self:
        """Learn errors and multiples.

        Args:
            usual: Listings that tell how far appraisals are off as a rule; the model may have been chosen by them.
            calibration: Listings that had no part in the model; `least_rows` of them or more.
            coverage: Share of houses that the interval shall hold.
        """
        errors = _errors(usual)
        expected = _by_kind(errors, calibration.appraised_usd, calibration.kind)
        multiple, price = calibration.miss_log / expected, calibration.price_usd
        edges = _band_edges(usual.price_usd, price, max(ROWS_PER_BAND, 2 * least_rows(coverage)))
        band = np.searchsorted(edges, price, side="right")
        multiples = [quantile(multiple[band == i], coverage) for i in range(len(edges) + 1)]
        return cls(coverage, len(price), tuple(edges.tolist()), tuple(multiples), errors)

    def bounds(self, price_usd: Floats, kind: Kinds) -> Floats:
        """Lower and upper bound around each appraisal [USD], shape (n, 2).

        The appraisal lies between them, and neither falls where the appraisal rises.
        """
        found = np.empty((len(price_usd), 2))
        for one in np.unique(kind).tolist():
            rows = kind == one
            for side, steps in enumerate(self._steps[one]):
                found[rows, side] = steps.at(price_usd[rows])
        return found

    def bounds_of(self, price_usd: float, kind: int) -> tuple[float, float]:
        """The bounds around one appraisal [USD], with the same bits as among many, in about a microsecond."""
        lower, upper = self._steps[kind]
        return lower.at_one(price_usd), upper.at_one(price_usd)

    @cached_property
    def _steps(self) -> tuple[tuple[Steps, Steps], ...]:
        bands = (0.0, *self.bands_usd, math.inf)
        found = []
        for errors in self.errors:
            edges = (0.0, *errors.edges_usd, math.inf)
            half_widths = [[multiple * error for multiple in self.multiples] for error in errors.means_log]
            found.append((lower_steps(edges, bands, half_widths), upper_steps(edges, bands, half_widths)))
        return tuple(found)

    def to_state(self) -> dict[str, Any]:
        """What `from_state` takes, as JSON values."""
        return {
            "coverage": self.coverage,
            "rows": self.rows,
            "bands_usd": list(self.bands_usd),
            "multiples": list(self.multiples),
            "errors": {
                kind.name.lower(): {"edges_usd": list(errors.edges_usd), "means_log": list(errors.means_log)}
                for kind, errors in zip(Kind, self.errors, strict=True)
            },
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Rebuild from what `to_state` gave, bit for bit.

        Raises:
            KeyError, TypeError, ValueError: The state is no interval.
        """
        coverage, rows = float(state["coverage"]), int(state["rows"])
        errors = [_parted(state["errors"][kind.name.lower()], "edges_usd", "means_log") for kind in Kind]
        return cls(coverage, rows, *_parted(state, "bands_usd", "multiples"), tuple([Errors(*one) for one in errors]))


def least_rows(coverage: float) -> int:
    """Fewest calibration rows of which a quantile for this coverage can be taken: 9 for 90 %."""
    return int(np.ceil(round(coverage / (1 - coverage), 9)))


def quantile(scores: Floats, coverage: float) -> float:
    """The least score that a new one exceeds with a probability of at most 1 - coverage; n >= `least_rows`."""
    rank = int(np.ceil(round((len(scores) + 1) * coverage, 9)))
    return float(np.sort(scores)[rank - 1])


def _errors(usual: Held) -> tuple[Errors, ...]:
    miss, price = usual.miss_log, usual.appraised_usd
    everything = np.ones(len(miss), dtype=bool)
    kinds = [usual.kind == kind for kind in Kind]
    rows = [one if one.sum() >= ROWS_PER_KIND else everything for one in kinds]
    return tuple([_binned(miss[one], price[one]) for one in rows])


def _binned(miss: Floats, price_usd: Floats) -> Errors:
    edges = _edges(price_usd, ROWS_PER_BIN, MOST_BINS)
    index = np.searchsorted(edges, price_usd, side="right")
    means = [max(float(miss[index == i].mean()), LEAST_ERROR) for i in range(len(edges) + 1)]
    return Errors(tuple(edges.tolist()), tuple(means))


def _by_kind(errors: Sequence[Errors], appraised_usd: Floats, kind: Kinds) -> Floats:
    expected = np.empty(len(appraised_usd))
    for one in np.unique(kind).tolist():
        expected[kind == one] = errors[one].of(appraised_usd[kind == one])
    return expected


def _band_edges(usual_usd: Floats, price_usd: Floats, rows: int) -> Floats:
    """Prices that part bands of about so many calibration rows each, and half as many at least.

    They are quantiles of other listings: were they the calibration prices' own, the rows of a band would not be a
    sample of the houses in it. The fewest bands are one.
    """
    for number in range(min(len(price_usd) // rows, MOST_BANDS), 1, -1):
        edges = np.unique(np.quantile(usual_usd, np.arange(1, number) / number))
        if np.bincount(np.searchsorted(edges, price_usd, side="right"), minlength=len(edges) + 1).min() >= rows // 2:
            return edges
    return np.array([])


def _edges(values: Floats, rows: int, most: int) -> Floats:
    """What parts values into as many equal parts as have this many rows; none where too many are the same."""
    number = int(np.clip(len(values) // rows, 1, most))
    edges = np.unique(np.quantile(values, np.arange(1, number) / number)) if number > 1 else np.array([])
    fewest = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1).min()
    return edges if fewest >= rows // 2 else np.array([])


def _parted(state: dict[str, Any], edges: str, values: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    parts, each = tuple(map(float, state[edges])), tuple(map(float, state[values]))
    ascending = all(a < b for a, b in pairwise(parts))
    finite = all(map(math.isfinite, (*parts, *each)))
    if len(each) != len(parts) + 1 or not ascending or not finite or min(each) < 0:
        raise ValueError(f"{values} and {edges} do not fit together")
    return parts, each
