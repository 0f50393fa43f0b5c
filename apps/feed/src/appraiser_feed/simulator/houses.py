"""Simulated houses: sizes that belong together, sales, and prices that follow from size, place, time and chance."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appraiser_feed.simulator.markets import STATES
from appraiser_feed.simulator.places import Places

type Floats = NDArray[np.float64]

TYPICAL_SQFT: Final = 1_790.0
DAYS_PER_YEAR: Final = 365.25
FIRST_SOLD: Final = np.datetime64("2021-11-01", "D")
LAST_SOLD: Final = np.datetime64("2022-05-02", "D")
LISTED: Final = np.datetime64("2022-09-30", "D")
FIRST_SALE: Final = np.datetime64("1954-01-01", "D")
LOWEST_USD: Final = 12_000.0


@dataclass(frozen=True, slots=True)
class Houses:
    """Houses before their prices; every array has the shape (n,).

    Attributes:
        sqft: Living area.
        bed: Bedrooms, from 1.
        bath: Bathrooms, from 1.
        acre_lot: Land. [acres]
        sold: Whether it is sold rather than for sale.
        sold_on: Day of the last sale, as datetime64[D].
    """

    sqft: Floats
    bed: Floats
    bath: Floats
    acre_lot: Floats
    sold: NDArray[np.bool_]
    sold_on: NDArray[np.datetime64]


def build(places: Places, where: NDArray[np.int64], random: np.random.Generator) -> Houses:
    """Build a house at each of the places given by index."""
    n = len(where)
    town = random.normal(0, 0.10, len(places.level))[where]
    z = random.normal(size=n)
    size = 0.02 + town + 0.40 * z + 0.065 * np.maximum(z, 0) ** 2 - 0.06 * places.urban[where]
    sqft = np.round(TYPICAL_SQFT * np.exp(size))
    bed = 3.22 + 1.75 * size + random.normal(0, 0.42, n)
    bed = np.clip(np.round(bed + 2.0 * np.maximum(size - 0.9, 0) ** 2), 1, 40)
    bath = 2.36 + 1.55 * size + 0.20 * (bed - 3) + random.normal(0, 0.38, n) + 2.5 * np.maximum(size - 0.9, 0) ** 2
    sold, sold_on = _sales(places, where, random)
    return Houses(sqft, bed, np.clip(np.round(bath), 1, 40), _land(places.urban[where], random), sold, sold_on)


def price(places: Places, where: NDArray[np.int64], houses: Houses, random: np.random.Generator) -> Floats:
    """Price the houses. [USD], shape (n,).

    The weights of size, bathrooms, bedrooms and land are about those of a regression within zip code areas on public
    US listings of 2022; what is left over has tails like theirs (Student's t).
    """
    size = np.log(houses.sqft / TYPICAL_SQFT)
    logarithm = (
        places.level[where]
        + np.log(TYPICAL_SQFT)
        + 0.72 * size
        + 0.25 * np.maximum(size - 0.4, 0)
        + 0.12 * (np.minimum(houses.bath, 8) - 2.4)
        - 0.04 * (np.minimum(houses.bed, 8) - 3.3)
        + 0.06 * np.log(np.clip(houses.acre_lot, 0.02, 50) / 0.2)
        + _time(houses)
        + np.clip(0.17 * random.standard_t(2.9, len(where)), -2, 2.2)
    )
    return _asked(np.maximum(np.exp(logarithm), LOWEST_USD), random)


def _sales(
    places: Places, where: NDArray[np.int64], random: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.datetime64]]:
    share = np.array([state.sold / 100 for state in STATES.values()])
    sold = random.random(len(where)) < share[places.state[where]]
    span = int((LAST_SOLD - FIRST_SOLD).astype(int))
    recently = FIRST_SOLD + random.integers(0, span + 1, len(where)).astype("timedelta64[D]")
    years = random.gamma(1.15, 7.6, len(where))
    earlier = np.maximum(LISTED - (years * DAYS_PER_YEAR).astype("timedelta64[D]"), FIRST_SALE)
    return sold, np.where(sold, recently, earlier)


def _land(urban: Floats, random: np.random.Generator) -> Floats:
    n = len(urban)
    town = random.lognormal(np.log(0.205), 0.55, n)
    country = random.lognormal(np.log(0.8), 1.75, n)
    flat = random.lognormal(np.log(0.03), 0.55, n)
    kind = random.random(n)
    acres = np.where(kind < 0.36 - 0.24 * urban, country, np.where(kind > 0.93, flat, town))
    return np.asarray(np.round(np.clip(acres, 0.01, 5_000), 2))


def _time(houses: Houses) -> Floats:
    """What the last sale says: of a sold house the market's month, of one for sale how long nobody has renewed it."""
    month = (houses.sold_on - FIRST_SOLD).astype(np.float64) / 30.4
    years = (LISTED - houses.sold_on).astype(np.float64) / DAYS_PER_YEAR
    waiting = 0.06 + 0.05 * (years < 2) - 0.004 * np.minimum(years, 40)
    return np.where(houses.sold, -0.05 + 0.008 * month, waiting)


def _asked(usd: Floats, random: np.random.Generator) -> Floats:
    """Round prices as people do: to 5,000 or 1,000 dollars, to 900 or 999, or hardly."""
    kind = random.random(len(usd))
    thousands = np.floor(usd / 1_000) * 1_000
    to_five = np.where(usd < 50_000, thousands, np.round(usd / 5_000) * 5_000)
    return np.select(
        [kind < 0.44, kind < 0.66, kind < 0.88, kind < 0.90],
        [to_five, thousands, thousands + 900, thousands + 999],
        np.round(usd),
    )
