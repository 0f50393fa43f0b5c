"""How the tables of places are learned from the prices of listings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appraiser_features.config import FeatureConfig
from appraiser_features.location import POSITION, Level, Places, city_key
from appraiser_features.positions import Position, nearest, on_globe

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of places as numbers.

    Attributes:
        keys: The places, sorted.
        codes: For each listing its place in `keys`, shape (n,); -1 is unknown.
    """

    keys: tuple[str, ...]
    codes: NDArray[np.int64]

    @classmethod
    def of(cls, names: Sequence[str | None]) -> "Coded":
        """Number the places; None and the empty text are unknown."""
        keys = tuple(sorted({name for name in names if name}))
        index = {key: code for code, key in enumerate(keys)}
        return cls(keys, np.array([index.get(name or "", -1) for name in names], dtype=np.int64))

    def only(self, rows: NDArray[np.bool_]) -> "Coded":
        """Keep the listings for which `rows` is true, and their places."""
        kept = np.unique(self.codes[rows & (self.codes >= 0)])
        code = np.full(len(self.keys) + 1, -1)
        code[kept] = np.arange(len(kept))
        return Coded(tuple([self.keys[i] for i in kept]), code[self.codes[rows]])

    def counts(self) -> dict[str, int]:
        """How many listings each place has."""
        rows = np.bincount(self.codes[self.codes >= 0], minlength=len(self.keys)).tolist()
        return dict(zip(self.keys, rows, strict=True))


@dataclass(frozen=True, eq=False)
class Sites:
    """Where n listings stand and what they cost.

    Attributes:
        state: State.
        city: State and city.
        zip3: First three digits of the zip code.
        zip_code: Zip code.
        statistics: Natural logarithm of the STATISTICS, shape (n, 3); NaN is unknown.
        positions: POSITION of the zip code, shape (n, 3); NaN is unknown.
    """

    state: Coded
    city: Coded
    zip3: Coded
    zip_code: Coded
    statistics: Floats
    positions: Floats

    @classmethod
    def of(
        cls, texts: Sequence[Sequence[str | None]], statistics: Floats, positions: Mapping[str, Position]
    ) -> "Sites":
        """Number the places of n listings.

        Args:
            texts: State, city and zip code of each listing.
            statistics: Their statistics.
            positions: Position by zip code.
        """
        states, cities, zips = texts
        return cls(
            state=Coded.of(states),
            city=Coded.of(list(map(city_key, states, cities))),
            zip3=Coded.of([code[:3] if code else None for code in zips]),
            zip_code=Coded.of(zips),
            statistics=statistics,
            positions=_positions(zips, positions),
        )

    def only(self, rows: NDArray[np.bool_]) -> "Sites":
        """The listings for which `rows` is true."""
        return Sites(
            state=self.state.only(rows),
            city=self.city.only(rows),
            zip3=self.zip3.only(rows),
            zip_code=self.zip_code.only(rows),
            statistics=self.statistics[rows],
            positions=self.positions[rows],
        )


def price_statistics(price_usd: Floats, house_size_sqft: Floats, acre_lot: Floats) -> Floats:
    """Natural logarithms of price, price per sqft and price per acre, shape (n, 3); unknown where the area is."""
    areas = [np.where(area > 0, area, np.nan) for area in (house_size_sqft, acre_lot)]
    return np.log(np.column_stack([price_usd, *(price_usd / area for area in areas)]))


def fit_places(sites: Sites, positions: Mapping[str, Position], config: FeatureConfig) -> Places:
    """Learn the tables of places.

    Args:
        sites: The listings to learn from; no other is looked at.
        positions: Position by zip code.
        config: How strongly small places are drawn to the places around them.
    """
    everywhere = Coded(("",), np.zeros(len(sites.statistics), dtype=np.int64))
    country = _means(everywhere, sites.statistics)
    state = _shrunk(sites.state, sites.statistics, country, config.state_weight)
    city = _shrunk(sites.city, sites.statistics, _around(sites.city, sites.state, state, country), config.city_weight)
    zip3 = _shrunk(sites.zip3, sites.statistics, _around(sites.zip3, sites.state, state, country), config.zip3_weight)
    own = _shrunk(
        sites.zip_code, sites.statistics, _around(sites.zip_code, sites.zip3, zip3, country), config.zip_weight
    )
    known = tuple(sorted(positions))
    where = _positions(known, positions)
    return Places(
        country=_level(everywhere, country, sites),
        states=_level(sites.state, state, sites),
        cities=_level(sites.city, city, sites),
        zip3s=_level(sites.zip3, zip3, sites),
        surroundings=Level(
            known, np.column_stack([where, _dollars(_nearby(sites, positions, where, country, config))])
        ),
        zips=Level(sites.zip_code.keys, _dollars(own)),
    )


def _positions(zips: Sequence[str | None], positions: Mapping[str, Position]) -> Floats:
    unknown = (np.nan,) * len(POSITION)
    rows = [positions.get(code or "", unknown) for code in zips]
    return np.array(rows, dtype=np.float64).reshape(-1, len(POSITION))


def _sums(coded: Coded, values: Floats) -> tuple[Floats, Floats]:
    """Sum and number of the known values of each place, each of shape (places, columns)."""
    known = np.isfinite(values) & (coded.codes >= 0)[:, None]
    size = len(coded.keys)
    sums = [np.bincount(coded.codes[k], column[k], size) for column, k in zip(values.T, known.T, strict=True)]
    counts = [np.bincount(coded.codes[k], minlength=size) for k in known.T]
    # Without listings bincount gives whole numbers, whatever the weights.
    return np.column_stack(sums).astype(np.float64), np.column_stack(counts).astype(np.float64)


def _means(coded: Coded, values: Floats) -> Floats:
    """Mean of the known values of each place, NaN where there are none; shape (places, columns)."""
    sums, counts = _sums(coded, values)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def _shrunk(coded: Coded, values: Floats, around: Floats, weight: float) -> Floats:
    """Mean of each place, drawn to that of the place around it as by `weight` listings; shape (places, columns)."""
    sums, counts = _sums(coded, values)
    return (sums + weight * around) / (counts + weight)


def _around(inner: Coded, outer: Coded, values: Floats, otherwise: Floats) -> Floats:
    """Values of the outer place in which most listings of each inner place stand; the first by name at a tie."""
    both = (inner.codes >= 0) & (outer.codes >= 0)
    width = len(outer.keys)
    pairs, rows = np.unique(inner.codes[both] * width + outer.codes[both], return_counts=True)
    # Fewest listings first, then the last by name: what is written last stays.
    order = np.lexsort([-pairs, rows])
    inside, outside = np.divmod(pairs[order], max(width, 1))
    result = np.repeat(otherwise, len(inner.keys), axis=0)
    result[inside] = values[outside]
    return result


def _level(coded: Coded, statistics: Floats, sites: Sites) -> Level:
    """Places with the mean position of their listings."""
    centres = _means(coded, sites.positions).round(4) + 0.0  # no negative zero, which JSON would lose
    return Level(coded.keys, np.column_stack([centres, _dollars(statistics)]))


def _nearby(
    sites: Sites, positions: Mapping[str, Position], where: Floats, country: Floats, config: FeatureConfig
) -> Floats:
    """Mean over the listings of the nearest zip codes, the nearer the heavier; shape (places, columns).

    Args:
        sites: The listings to learn from.
        positions: Position by zip code.
        where: The places that are asked about, POSITION of each.
        country: Mean of the country, which stands in where nothing nearby has a statistic.
        config: How many zip codes count, and how the weight falls with the distance.
    """
    listed = _positions(sites.zip_code.keys, positions)
    known = np.isfinite(listed[:, 0])
    number = min(config.nearby_zips, int(known.sum()))
    if number == 0:
        return np.repeat(country, len(where), axis=0)
    sums, counts = (part[known] for part in _sums(sites.zip_code, sites.statistics))
    miles, indices = nearest(on_globe(listed[known, :2]), on_globe(where[:, :2]), number)
    weights = 1.0 / (1.0 + miles / config.nearby_miles)
    total = np.einsum("pn,pnc->pc", weights, counts[indices])
    mean = np.einsum("pn,pnc->pc", weights, sums[indices])
    result: Floats = (mean + config.nearby_weight * country) / (total + config.nearby_weight)
    return result


def _dollars(logarithms: Floats) -> Floats:
    """Back from logarithms, to five significant digits: the rest is noise, and short numbers keep the file small."""
    values = np.exp(logarithms)
    digits = 10.0 ** (4 - np.floor(np.log10(values)))
    rounded: Floats = np.round(values * digits) / digits
    return rounded
