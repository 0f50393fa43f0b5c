"""Where each zip code lies; read when an encoder is fitted, never when it is used."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import numpy as np
import zipcodes
from numpy.typing import NDArray

type Position = tuple[float, float, float]
"""Latitude and longitude [degrees, WGS 84], mean distance to the neighbours. [miles]"""

EARTH_RADIUS_MILES: Final = 3_958.8
NEIGHBOURS: Final = 10
"""Zip codes that count as neighbours. Five and thirty serve as well in cross-validation."""


@lru_cache(maxsize=1)
def zip_positions() -> Mapping[str, Position]:
    """Position of every zip code.

    The post gives about as many people to each zip code, so that the distance to the next ones tells town from
    country, whatever was trained on. Only standard codes are neighbours: one tower can have a code of its own.

    Source: the package `zipcodes` (codes of the US Postal Service, each with its centre). Military addresses are
    left out; their place is that of their post office.
    """
    places = [place for place in zipcodes.list_all() if place["zip_code_type"] != "MILITARY"]  # type: ignore[no-untyped-call]
    degrees = np.array([(place["lat"], place["long"]) for place in places], dtype=np.float64)
    standard = np.array([place["zip_code_type"] == "STANDARD" for place in places])
    miles, _ = nearest(on_globe(degrees[standard]), on_globe(degrees), NEIGHBOURS)
    rows = np.column_stack([degrees.round(4), miles.mean(axis=1).round(2)]).tolist()
    return MappingProxyType({place["zip_code"]: tuple(row) for place, row in zip(places, rows, strict=True)})


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
