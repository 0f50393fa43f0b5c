"""How the tables of places are learned from the prices of listings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appraiser_features.config import FeatureConfig
from appraiser_features.location import STATISTICS, Key, Level, Places, city_key

type Floats = NDArray[np.float64]
type Coordinates = Mapping[str, tuple[float, float]]

EARTH_RADIUS_MILES = 3_958.8


@dataclass(frozen=True)
class Coded:
    """A column of places as numbers.

    Attributes:
        keys: The places, sorted.
        codes: For each listing its place in `keys`, shape (n,); -1 is unknown.
    """

    keys: tuple[Key, ...]
    codes: NDArray[np.int64]


@dataclass(frozen=True)
class Sites:
    """Where n listings stand and what they cost.

    Attributes:
        state, city, zip3, zip: The place at each level.
        statistics: Natural logarithm of the STATISTICS, shape (n, 3); NaN is unknown.
        positions: Latitude and longitude [degrees], shape (n, 2); NaN is unknown.
    """

    state: Coded
    city: Coded
    zip3: Coded
    zip: Coded
    statistics: Floats
    positions: Floats

    @classmethod
    def of(cls, texts: Sequence[Sequence[str | None]], statistics: Floats, coordinates: Coordinates) -> "Sites":
        """Code the states, cities and zip codes of n listings."""
        states, cities, zips = texts
        unknown = (np.nan, np.nan)
        return cls(
            state=_coded(states),
            city=_coded(list(map(city_key, states, cities))),
            zip3=_coded([code[:3] if code else None for code in zips]),
            zip=_coded(zips),
            statistics=statistics,
            positions=np.array([coordinates.get(code or "", unknown) for code in zips], dtype=np.float64).reshape(
                -1, 2
            ),
        )

    def only(self, rows: NDArray[np.bool_]) -> "Sites":
        """The listings for which `rows` is true."""
        coded = {n: Coded(c.keys, c.codes[rows]) for n in ("state", "city", "zip3", "zip") if (c := getattr(self, n))}
        return Sites(**coded, statistics=self.statistics[rows], positions=self.positions[rows])


def fit_places(sites: Sites, coordinates: Coordinates, config: FeatureConfig) -> Places:
    """Learn the tables of places from listings.

    Args:
        sites: The listings to learn from; no other is looked at.
        coordinates: Latitude and longitude by zip code.
        config: How strongly small places are drawn to the places around them.
    """
    nothing = np.zeros(len(sites.statistics), dtype=np.int64)
    overall = np.nan_to_num(_means(sites.statistics)[None, :])
    state = _shrunk(sites.state, sites.statistics, overall.repeat(len(sites.state.keys), axis=0), config.state_weight)
    around_city = state[_lookup(sites.state.keys, [key[0] for key in sites.city.keys])]
    city = _shrunk(sites.city, sites.statistics, around_city, config.city_weight)
    zip3 = _shrunk(sites.zip3, sites.statistics, _parents(sites.zip3, sites.state, state, overall), config.zip3_weight)
    around_zip = zip3[_lookup(sites.zip3.keys, [str(key)[:3] for key in sites.zip.keys])]
    own = _shrunk(sites.zip, sites.statistics, around_zip, config.zip_weight)
    country = Coded(("",), nothing)
    return Places(
        country=_level(country, overall, sites),
        states=_level(sites.state, state, sites),
        cities=_level(sites.city, city, sites),
        zip3s=_level(sites.zip3, zip3, sites),
        zips=_zip_level(sites, own, coordinates, config, overall),
    )


def count(coded: Coded) -> dict[Key, int]:
    """How many listings each place has; places without any are left out."""
    counts = np.bincount(coded.codes[coded.codes >= 0], minlength=len(coded.keys)).tolist()
    return {key: rows for key, rows in zip(coded.keys, counts, strict=True) if rows}


def _coded(names: Iterable[Any]) -> Coded:
    names = list(names)
    keys = tuple(sorted({name for name in names if name is not None}))
    index = {key: code for code, key in enumerate(keys)}
    return Coded(keys, np.array([index.get(name, -1) for name in names], dtype=np.int64))


def _lookup(keys: Sequence[Key], wanted: Iterable[Key]) -> NDArray[np.int64]:
    index = {key: code for code, key in enumerate(keys)}
    return np.array([index[key] for key in wanted], dtype=np.int64)


def _means(values: Floats) -> Floats:
    known = np.isfinite(values)
    return np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def _sums(coded: Coded, values: Floats) -> tuple[Floats, Floats]:
    """Sum and number of the known values of each place, each shape (places, columns)."""
    size = len(coded.keys)
    sums, counts = np.zeros((size, values.shape[1])), np.zeros((size, values.shape[1]))
    for column in range(values.shape[1]):
        known = np.isfinite(values[:, column]) & (coded.codes >= 0)
        codes = coded.codes[known]
        sums[:, column] = np.bincount(codes, values[known, column], size)
        counts[:, column] = np.bincount(codes, minlength=size)
    return sums, counts


def _shrunk(coded: Coded, values: Floats, around: Floats, weight: float) -> Floats:
    """Mean of each place, drawn to that of the place around it by `weight` listings; shape (places, columns)."""
    sums, counts = _sums(coded, values)
    return (sums + weight * around) / (counts + weight)


def _parents(inner: Coded, outer: Coded, values: Floats, default: Floats) -> Floats:
    """Values of the outer place in which most listings of each inner place stand; the first by name at a tie."""
    both = (inner.codes >= 0) & (outer.codes >= 0)
    if not both.any():
        return default.repeat(len(inner.keys), axis=0)
    width = len(outer.keys)
    pairs = np.bincount(inner.codes[both] * width + outer.codes[both], minlength=len(inner.keys) * width)
    pairs = pairs.reshape(len(inner.keys), width)
    return np.where(pairs.any(axis=1)[:, None], values[pairs.argmax(axis=1)], default)


def _level(coded: Coded, statistics: Floats, sites: Sites) -> Level:
    """Keep the places that have listings, with their centre."""
    sums, counts = _sums(coded, sites.positions)
    seen = np.bincount(coded.codes[coded.codes >= 0], minlength=len(coded.keys)) > 0
    if len(coded.keys) == 1 and coded.keys[0] == "":
        seen[:] = True
    centre = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    keys = tuple(key for key, kept in zip(coded.keys, seen.tolist(), strict=True) if kept)
    return Level(keys, np.concatenate([np.round(centre[seen], 4), _dollars(statistics[seen])], axis=1))


def _zip_level(sites: Sites, own: Floats, coordinates: Coordinates, config: FeatureConfig, overall: Floats) -> Level:
    """Every zip code that has coordinates or listings: position, statistics nearby, statistics of its own."""
    seen = count(sites.zip)
    keys = tuple(sorted({*coordinates, *map(str, seen)}))
    unknown = (np.nan, np.nan)
    positions = np.array([coordinates.get(key, unknown) for key in keys], dtype=np.float64).reshape(-1, 2)
    listed = _lookup(keys, seen)
    codes = _lookup(sites.zip.keys, seen)
    sums, counts = (part[codes] for part in _sums(sites.zip, sites.statistics))
    values = np.full((len(keys), 2 + 2 * len(STATISTICS)), np.nan)
    values[:, :2] = positions
    values[:, 2:5] = _dollars(_nearby(positions, positions[listed], sums, counts, config, overall))
    values[listed, 5:] = _dollars(own[codes])
    return Level(keys, values)


def _nearby(
    where: Floats, listed: Floats, sums: Floats, counts: Floats, config: FeatureConfig, overall: Floats
) -> Floats:
    """Mean over the listings of the nearest zip codes, the nearer the heavier; shape (places, columns).

    Args:
        where: Places that are asked about, latitude and longitude. [degrees]
        listed: Zip codes with listings, likewise.
        sums: Sum of the statistics of each of these, shape (zips, columns).
        counts: Number of listings behind each sum.
        config: How many zip codes are taken, and how the weight falls with the distance.
        overall: Mean of the country, for places without a position.
    """
    result = overall.repeat(len(where), axis=0)
    asked, known = np.isfinite(where[:, 0]), np.isfinite(listed[:, 0])
    nearest = min(config.nearby_zips, int(known.sum()))
    if nearest == 0 or not asked.any():
        return result
    # scipy takes most of a second to import and is of no use to those who only serve.
    from scipy.spatial import KDTree

    chords, indices = KDTree(_on_globe(listed[known])).query(_on_globe(where[asked]), k=[*range(1, nearest + 1)])
    weights = 1.0 / (1.0 + chords / config.nearby_miles)
    total = (weights[:, :, None] * counts[known][indices]).sum(axis=1)
    mean = (weights[:, :, None] * sums[known][indices]).sum(axis=1) + config.nearby_weight * overall
    result[asked] = mean / (total + config.nearby_weight)
    return result


def _on_globe(degrees: Floats) -> Floats:
    """Points on a sphere, whose straight distances stand for those along the ground. [miles], shape (n, 3)."""
    latitude, longitude = np.radians(degrees).T
    level = np.cos(latitude)
    return EARTH_RADIUS_MILES * np.column_stack(
        [level * np.cos(longitude), level * np.sin(longitude), np.sin(latitude)]
    )


def _dollars(logarithms: Floats) -> Floats:
    return np.round(np.exp(logarithms), 2)
