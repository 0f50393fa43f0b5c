"""Where each zip code lies; read when an encoder is fitted, never when it is used."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

import numpy as np
import zipcodes
from numpy.typing import NDArray

from appraiser_features.location import POSITION

EARTH_RADIUS_MILES: Final = 3_958.8
NEIGHBOURS: Final = 10
"""Zip codes that count as neighbours. Five and thirty serve as well in cross-validation."""

_STANDARD: Final = "STANDARD"


@dataclass(frozen=True, eq=False)
class Positions:
    """Where zip codes lie.

    Attributes:
        zips: The zip codes, sorted.
        values: POSITION of each, shape (z, 3).
    """

    zips: tuple[str, ...]
    values: NDArray[np.float64]

    def of(self, zips: Iterable[str | None]) -> NDArray[np.float64]:
        """POSITION of each of n zip codes, shape (n, 3); NaN where it is unknown."""
        row = dict(zip(self.zips, range(len(self.zips)), strict=True))
        unknown = np.full((1, len(POSITION)), np.nan)
        return np.concatenate([self.values, unknown])[[row.get(code or "", -1) for code in zips]]

    def among(self, zips: Iterable[str]) -> Self:
        """Those of some zip codes; what has no position is left out."""
        wanted = set(zips)
        rows = [row for row, code in enumerate(self.zips) if code in wanted]
        return type(self)(tuple([self.zips[row] for row in rows]), self.values[rows])


@lru_cache(maxsize=1)
def zip_positions() -> Positions:
    """Position of every zip code.

    The post gives about as many people to each zip code, so that the distance to the next ones tells town from
    country, whatever was trained on. Only standard codes are neighbours: one tower can have a code of its own.

    Source: the package `zipcodes` (codes of the US Postal Service, each with its centre). Military addresses are
    left out; their place is that of their post office.
    """
    latitude: dict[str, str] = {}
    longitude: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for kind in (_STANDARD, "PO BOX", "UNIQUE"):
        # All at once they would stay in memory for good, 130 MB.
        for place in zipcodes.filter_by(zip_code_type=kind):  # type: ignore[no-untyped-call]
            code = place["zip_code"]
            latitude[code], longitude[code], kinds[code] = place["lat"], place["long"], kind
    zips = tuple(sorted(kinds))
    degrees = np.column_stack([[float(side[code]) for code in zips] for side in (latitude, longitude)])
    standard = np.array([kinds[code] == _STANDARD for code in zips])
    miles, _ = nearest(on_globe(degrees[standard]), on_globe(degrees), NEIGHBOURS)
    return Positions(zips, np.column_stack([degrees.round(4), miles.mean(axis=1).round(2)]))


def on_globe(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points on a sphere, whose straight distances stand for those along the ground. [miles], shape (n, 3)."""
    latitude, longitude = np.radians(degrees).T
    level = np.cos(latitude)
    return EARTH_RADIUS_MILES * np.column_stack(
        [level * np.cos(longitude), level * np.sin(longitude), np.sin(latitude)]
    )


def nearest(
    points: NDArray[np.float64], asked: NDArray[np.float64], number: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find the nearest points to each of those asked about.

    Returns:
        Distances [miles] and indices into `points`, each of shape (asked, number), nearest first.
    """
    # It takes a good part of a second to import and is of no use to those who only serve.
    from scipy.spatial import KDTree  # type: ignore[import-untyped]  # noqa: PLC0415

    miles, indices = KDTree(points).query(asked, k=list(range(1, number + 1)))
    return miles, indices
