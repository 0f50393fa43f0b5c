"""How the tables of places are learned from the prices of listings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appraiser_features.config import FeatureConfig
from appraiser_features.location import STATISTICS, Level, Places, city_key
from appraiser_features.positions import Positions, nearest, on_globe
from appraiser_features.sites import Site

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Kind:
    """The places of one kind, and in which of them each site lies.

    Attributes:
        keys: The places, sorted.
        codes: For each site its place in `keys`, shape (s,); -1 is unknown.
    """

    keys: tuple[str, ...]
    codes: NDArray[np.int64]

    @classmethod
    def of(cls, names: Sequence[str | None]) -> "Kind":
        """Number the places; None and the empty text are unknown."""
        keys = tuple(sorted({name for name in names if name}))
        index = {key: code for code, key in enumerate(keys)}
        return cls(keys, np.array([index.get(name or "", -1) for name in names], dtype=np.int64))

    def only(self, kept: NDArray[np.bool_]) -> "Kind":
        """Keep the sites for which `kept` is true, and their places."""
        found = np.unique(self.codes[kept & (self.codes >= 0)])
        code = np.full(len(self.keys) + 1, -1)
        code[found] = np.arange(len(found))
        return Kind(tuple([self.keys[i] for i in found]), code[self.codes[kept]])

    def counts(self, rows: NDArray[np.int64]) -> dict[str, int]:
        """How many listings each place has, given how many each site has."""
        known = self.codes >= 0
        per_place = np.bincount(self.codes[known], rows[known], len(self.keys)).astype(np.int64).tolist()
        return dict(zip(self.keys, per_place, strict=True))


@dataclass(frozen=True, eq=False)
class Sites:
    """Where listings stand and what they cost: all that the tables of places are learned from.

    Attributes:
        state: State.
        city: State and city.
        zip3: First three digits of the zip code.
        zip_code: Zip code.
        positions: POSITION of the zip code, shape (s, 3); NaN is unknown.
        rows: How many listings each site has, shape (s,).
        sums: Sum of the known natural logarithms of the STATISTICS of its listings, shape (s, 3).
        counts: How many are known, shape (s, 3).
    """

    state: Kind
    city: Kind
    zip3: Kind
    zip_code: Kind
    positions: Floats
    rows: NDArray[np.int64]
    sums: Floats
    counts: Floats

    def of_rows(self, rows: NDArray[np.int64], sums: Floats, counts: Floats) -> "Sites":
        """The same sites with other listings; sites without any are left out."""
        kept = rows > 0
        return Sites(
            state=self.state.only(kept),
            city=self.city.only(kept),
            zip3=self.zip3.only(kept),
            zip_code=self.zip_code.only(kept),
            positions=self.positions[kept],
            rows=rows[kept],
            sums=sums[kept],
            counts=counts[kept],
        )


@dataclass(frozen=True, eq=False)
class Tally:
    """What listings add up to, by site and fold: the same however they were cut into chunks.

    Attributes:
        sites: The sites, sorted, so that sums over them have one order.
        rows: How many listings, shape (s, folds).
        sums: Sum of the known natural logarithms of the STATISTICS, shape (s, folds, 3).
        counts: How many are known, shape (s, folds, 3).
    """

    sites: tuple[Site, ...]
    rows: NDArray[np.int64]
    sums: Floats
    counts: NDArray[np.int64]

    def everything(self, positions: Positions) -> Sites:
        """All listings, given where zip codes lie."""
        states, cities, zips = zip(*self.sites, strict=True)
        return Sites(
            state=Kind.of(states),
            city=Kind.of(list(map(city_key, states, cities))),
            zip3=Kind.of([zip_code[:3] if zip_code else None for zip_code in zips]),
            zip_code=Kind.of(zips),
            positions=positions.of(zips),
            rows=self.rows.sum(axis=1),
            sums=self.sums.sum(axis=1),
            counts=self.counts.sum(axis=1).astype(np.float64),
        )

    def without(self, fold: int, everything: Sites) -> Sites:
        """The listings of the other folds."""
        others = np.arange(self.rows.shape[1]) != fold
        counts = self.counts[:, others].sum(axis=1).astype(np.float64)
        return everything.of_rows(self.rows[:, others].sum(axis=1), self.sums[:, others].sum(axis=1), counts)


class Tallying:
    """Adds listings up, chunk by chunk."""

    def __init__(self) -> None:
        self._rows: NDArray[np.int64] = np.zeros((0, 0), dtype=np.int64)
        self._sums: Floats = np.zeros((0, 0, len(STATISTICS)))
        self._counts: NDArray[np.int64] = np.zeros((0, 0, len(STATISTICS)), dtype=np.int64)

    def add(self, site: NDArray[np.int64], fold: NDArray[np.int64], statistics: Floats) -> None:
        """Add listings.

        Args:
            site: Number of each listing's site, shape (n,).
            fold: Its fold, shape (n,).
            statistics: Natural logarithms of its STATISTICS, shape (n, 3); NaN is unknown.
        """
        self._grow(int(site.max(initial=-1)) + 1, int(fold.max(initial=-1)) + 1)
        cell = site * self._rows.shape[1] + fold
        np.add.at(self._rows.reshape(-1), cell, 1)
        for i, column in enumerate(statistics.T):
            known = np.isfinite(column)
            at = cell[known] * len(STATISTICS) + i
            # One after the other, in the order of the listings: no sum depends on where a chunk ends.
            np.add.at(self._sums.reshape(-1), at, column[known])
            np.add.at(self._counts.reshape(-1), at, 1)

    def tally(self, sites: Sequence[Site]) -> Tally:
        """What has been added up, given the sites by their numbers."""
        order = sorted(range(len(sites)), key=lambda i: [name or "" for name in sites[i]])
        return Tally(tuple([sites[i] for i in order]), self._rows[order], self._sums[order], self._counts[order])

    def _grow(self, sites: int, folds: int) -> None:
        sites, folds = max(sites, self._rows.shape[0]), max(folds, self._rows.shape[1])
        if (sites, folds) != self._rows.shape:
            self._rows = _padded(self._rows, sites, folds)
            self._sums = _padded(self._sums, sites, folds)
            self._counts = _padded(self._counts, sites, folds)


def _padded[Number: np.generic](array: NDArray[Number], sites: int, folds: int) -> NDArray[Number]:
    padded = np.zeros((sites, folds, *array.shape[2:]), dtype=array.dtype)
    padded[: array.shape[0], : array.shape[1]] = array
    return padded


def price_statistics(price_usd: Floats, house_size_sqft: Floats, acre_lot: Floats) -> Floats:
    """Natural logarithms of price, price per sqft and price per acre, shape (n, 3); unknown where the area is."""
    areas = [np.where(area > 0, area, np.nan) for area in (house_size_sqft, acre_lot)]
    return np.log(np.column_stack([price_usd, *(price_usd / area for area in areas)]))


def fit_places(sites: Sites, positions: Positions, config: FeatureConfig) -> Places:
    """Learn the tables of places.

    Args:
        sites: The listings to learn from; no other is looked at.
        positions: Where zip codes lie: those of the sites at least. What lies nearby is learned for each of them.
        config: How strongly small places are drawn to the places around them.
    """
    everywhere = Kind(("",), np.zeros(len(sites.rows), dtype=np.int64))
    country = _ratio(*_sums(everywhere, sites))
    state = _shrunk(sites.state, sites, country, config.state_weight)
    city = _shrunk(sites.city, sites, _around(sites.city, sites.state, sites, state, country), config.city_weight)
    zip3 = _shrunk(sites.zip3, sites, _around(sites.zip3, sites.state, sites, state, country), config.zip3_weight)
    own = _shrunk(sites.zip_code, sites, _around(sites.zip_code, sites.zip3, sites, zip3, country), config.zip_weight)
    nearby = _dollars(_nearby(sites, positions, country, config))
    return Places(
        country=_level(everywhere, country, sites),
        states=_level(sites.state, state, sites),
        cities=_level(sites.city, city, sites),
        zip3s=_level(sites.zip3, zip3, sites),
        surroundings=Level(positions.zips, np.column_stack([positions.values, nearby])),
        zips=Level(sites.zip_code.keys, _dollars(own)),
    )


def _sums(kind: Kind, sites: Sites) -> tuple[Floats, Floats]:
    """Sum and number of the known statistics of each place, each of shape (places, 3)."""
    return _per_place(kind, sites.sums), _per_place(kind, sites.counts)


def _per_place(kind: Kind, per_site: Floats) -> Floats:
    """Sum over the sites of each place, shape (places, columns)."""
    known = kind.codes >= 0
    size = len(kind.keys)
    sums = [np.bincount(kind.codes[known], column[known], size) for column in per_site.T]
    # Without sites bincount gives whole numbers, whatever the weights.
    return np.column_stack(sums).astype(np.float64)


def _ratio(sums: Floats, counts: Floats) -> Floats:
    """Means; NaN where there is nothing."""
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def _shrunk(kind: Kind, sites: Sites, around: Floats, weight: float) -> Floats:
    """Mean of each place, drawn to that of the place around it as by `weight` listings; shape (places, 3)."""
    sums, counts = _sums(kind, sites)
    return (sums + weight * around) / (counts + weight)


def _around(inner: Kind, outer: Kind, sites: Sites, values: Floats, otherwise: Floats) -> Floats:
    """Values of the outer place in which most listings of each inner place stand; the first by name at a tie."""
    both = (inner.codes >= 0) & (outer.codes >= 0)
    width = max(1, len(outer.keys))
    pairs, pair = np.unique(inner.codes[both] * width + outer.codes[both], return_inverse=True)
    rows = np.bincount(pair, sites.rows[both], len(pairs))
    # Fewest listings first, then the last by name: what is written last stays.
    order = np.lexsort([-pairs, rows])
    inside, outside = np.divmod(pairs[order], width)
    result = np.repeat(otherwise, len(inner.keys), axis=0)
    result[inside] = values[outside]
    return result


def _level(kind: Kind, statistics: Floats, sites: Sites) -> Level:
    """Places with the mean position of their listings."""
    known = np.isfinite(sites.positions) * sites.rows[:, None]
    sums = _per_place(kind, np.nan_to_num(sites.positions) * sites.rows[:, None])
    centres = _ratio(sums, _per_place(kind, known.astype(np.float64))).round(4)
    centres += 0.0  # no negative zero, which JSON would lose
    return Level(kind.keys, np.column_stack([centres, _dollars(statistics)]))


def _nearby(sites: Sites, positions: Positions, country: Floats, config: FeatureConfig) -> Floats:
    """Mean over the listings of the nearest zip codes, the nearer the heavier; shape (positions, columns).

    Args:
        sites: The listings to learn from.
        positions: The places that are asked about.
        country: Mean of the country, which stands in where nothing nearby has a statistic.
        config: How many zip codes count, and how the weight falls with the distance.
    """
    listed, asked = positions.of(sites.zip_code.keys)[:, :2], positions.values[:, :2]
    known = np.isfinite(listed[:, 0])
    number = min(config.nearby_zips, int(known.sum()))
    if number == 0:
        return np.repeat(country, len(asked), axis=0)
    sums, counts = (part[known] for part in _sums(sites.zip_code, sites))
    miles, indices = nearest(on_globe(listed[known]), on_globe(asked), number)
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
