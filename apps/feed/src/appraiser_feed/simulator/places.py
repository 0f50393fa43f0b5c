"""Where simulated houses stand: every real zip code, how usual listings are there and what a place is worth."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import zipcodes
from numpy.typing import NDArray

from appraiser_feed.simulator.markets import METROS, STATES
from appraiser_schema import STATE_CODES

type Floats = NDArray[np.float64]

EARTH_RADIUS_MILES: Final = 3_958.8
SMOOTH_SD: Final = 0.24
"""Of the part of the price level that changes over 10 to 150 miles. [natural logarithm]"""
ZIP_SD: Final = 0.13
"""Of the part of the price level that is one zip code's own. [natural logarithm]"""
WAVES: Final = 96


@dataclass(frozen=True, slots=True)
class Places:
    """The zip codes that listings can have, in ascending order.

    Attributes:
        zip_code: As a number, so without leading zeros, shape (n,).
        city: Its post office, shape (n,).
        state: Index into the states of `STATES`, shape (n,).
        share: Share of all listings, shape (n,), sums to 1.
        level: Natural logarithm of the usual price per living area, shape (n,). [USD per sqft]
        urban: How near the middle of a metropolitan area it lies, shape (n,), 0 to 1.
    """

    zip_code: Floats
    city: NDArray[np.str_]
    state: NDArray[np.int64]
    share: Floats
    level: Floats
    urban: Floats


def lay_out(random: np.random.Generator) -> Places:
    """Draw the map of prices and of how many listings stand where.

    Source of names and positions: the package `zipcodes` (codes of the US Postal Service, each with its centre).
    """
    order = {STATE_CODES[state]: index for index, state in enumerate(STATES)}
    towns = sorted(
        (int(town["zip_code"]), town["city"], order[town["state"]], float(town["lat"]), float(town["long"]))
        for town in zipcodes.filter_by(zip_code_type="STANDARD", active=True)  # type: ignore[no-untyped-call]
        if town["state"] in order
    )
    zips, cities, states, latitudes, longitudes = (np.array(column) for column in zip(*towns, strict=True))
    points = _on_globe(latitudes, longitudes)
    premium, crowd = _metropolitan(points)
    share = _share(states, crowd * random.lognormal(0, 1.1, len(zips)))
    own = premium + _smooth_field(points, random) + random.normal(0, ZIP_SD, len(zips))
    level = _around_usual(states, share, own)
    return Places(zips.astype(np.float64), cities, states, share, level, crowd / (crowd + 2))


def _on_globe(latitude: Floats, longitude: Floats) -> Floats:
    phi, theta = np.radians(latitude), np.radians(longitude)
    return EARTH_RADIUS_MILES * np.column_stack([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)])


def _metropolitan(points: Floats) -> tuple[Floats, Floats]:
    """What nearby centres add to the logarithm of the price, and how many listings they draw."""
    premium, crowd = np.zeros(len(points)), np.full(len(points), 0.3)
    for metro in METROS.values():
        centre = _on_globe(np.array([metro.latitude]), np.array([metro.longitude]))
        nearness = np.exp(-0.5 * ((points - centre) ** 2).sum(axis=1) / metro.radius**2)
        premium += metro.premium * nearness
        crowd += metro.weight * nearness
    return premium, crowd


def _smooth_field(points: Floats, random: np.random.Generator) -> Floats:
    """Draw a surface without edges as a sum of waves of random length and direction (random Fourier features)."""
    direction = random.normal(size=(3, WAVES))
    direction /= np.linalg.norm(direction, axis=0)
    length = np.exp(random.uniform(np.log(10), np.log(150), WAVES))
    phase = random.uniform(0, 2 * np.pi, WAVES)
    waves = np.cos(points @ (direction * (2 * np.pi / length)) + phase)
    return np.asarray(SMOOTH_SD * np.sqrt(2 / WAVES) * waves.sum(axis=1))


def _share(states: NDArray[np.int64], weight: Floats) -> Floats:
    usual = np.array([state.listings for state in STATES.values()])
    share = (usual / np.bincount(states, weight, len(usual)))[states] * weight
    return np.asarray(share / share.sum())


def _around_usual(states: NDArray[np.int64], share: Floats, own: Floats) -> Floats:
    """Move the price levels of each state so that the typical listing has the state's usual one."""
    level = np.zeros(len(states))
    for index, state in enumerate(STATES.values()):
        here = np.flatnonzero(states == index)
        order = here[np.argsort(own[here])]
        median = order[np.searchsorted(np.cumsum(share[order]), share[here].sum() / 2)]
        level[here] = np.log(state.usd_per_sqft) + own[here] - own[median]
    return level
