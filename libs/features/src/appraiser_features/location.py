"""What a place is worth: tables by zip code, city and state, and how a listing is looked up in them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, repeat
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from appraiser_features.columns import Texts, code
from appraiser_features.sites import Site

STATISTICS: Final = ("price", "price_per_sqft", "price_per_acre")
"""Geometric means over the listings of a place. [USD, USD per sqft of living area, USD per acre of land]"""

POSITION: Final = ("latitude", "longitude", "zip_spacing")
"""Of the zip code: its centre [degrees] and the mean distance to its neighbours. [miles]"""

LOCATION: Final = (
    *POSITION,
    *(f"{name}_{where}" for where in ("nearby", "in_zip", "in_city", "in_state") for name in STATISTICS),
)

_P: Final = len(POSITION)
_S: Final = len(STATISTICS)
_AREA: Final = _P + 2 * _S


@dataclass(frozen=True, eq=False)
class Level:
    """The places of one kind.

    Attributes:
        keys: Name of each place.
        values: One row per place, shape (places, columns); NaN is unknown.
    """

    keys: tuple[str, ...]
    values: NDArray[np.float64]


class Rows(NamedTuple):
    """The row of each place in one table of all of them; 0 is the country.

    Attributes:
        states: By name.
        cities: By the name of the state, and then by that of the city in small letters.
        zip3s: By the first three digits of the zip code.
        zips: By zip code.
    """

    states: dict[str, int]
    cities: dict[str, dict[str, int]]
    zip3s: dict[str, int]
    zips: dict[str, int]


@dataclass(frozen=True, eq=False)
class Places:
    """Everything that is fitted about location.

    The columns of a level are the three of POSITION, then the three STATISTICS.

    Attributes:
        country: One row, for a listing of which no place is known.
        states: By name.
        cities: By `city_key`.
        zip3s: By the first three digits of the zip code.
        surroundings: By zip code, for every zip code whose position is known; the statistics are of what lies nearby.
        zips: By zip code, where listings were seen; the statistics only.
    """

    country: Level
    states: Level
    cities: Level
    zip3s: Level
    surroundings: Level
    zips: Level
    _table: NDArray[np.float32] = field(init=False, repr=False)
    _rows: "Rows" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Lay all places in one table, so that the features of a listing are rows of it."""
        levels = (self.country, self.states, self.cities, self.zip3s)
        starts = np.cumsum([0, *(len(level.keys) for level in levels)]).tolist()
        states, zip3s = (
            {key: start + i for i, key in enumerate(level.keys)}
            for start, level in ((starts[1], self.states), (starts[3], self.zip3s))
        )
        cities: dict[str, dict[str, int]] = {}
        for row, key in enumerate(self.cities.keys, starts[2]):
            state, _, city = key.partition(_BETWEEN)
            cities.setdefault(state, {})[city] = row
        coarse = np.concatenate([level.values for level in levels])
        coarse = np.concatenate([coarse, coarse[:, _P:]], axis=1)
        keys = dict.fromkeys((*self.surroundings.keys, *self.zips.keys))
        by_zip = {key: starts[-1] + i for i, key in enumerate(keys)}
        fine = coarse[[zip3s.get(key[:3], 0) for key in keys]]
        fine[: len(self.surroundings.keys), : _P + _S] = self.surroundings.values
        fine[[by_zip[key] - starts[-1] for key in self.zips.keys], _P + _S :] = self.zips.values
        object.__setattr__(self, "_table", np.concatenate([coarse, fine]).astype(np.float32))
        object.__setattr__(self, "_rows", Rows(states, cities, zip3s, by_zip))

    def fill(self, out: NDArray[np.float32], texts: Sequence[Texts]) -> None:
        """Write the location features of n listings, in the order of LOCATION.

        A place that was never seen takes the row of the one around it: zip code, zip area, city, state, country.

        Args:
            out: Where to write, shape (n, 15).
            texts: State, city and zip code of each listing, n texts each; None is unknown.
                Each different text is looked up once.
        """
        states, cities, zips = map(code, texts)
        state_of = [self._rows.states.get(state or "", 0) for state in states.values]
        state_rows = np.array(state_of, dtype=np.int64)[states.codes]
        # A city's name says something only together with its state's; there are far fewer pairs than listings.
        pairs, pair = np.unique(states.codes * len(cities.values) + cities.codes, return_inverse=True)
        in_state, in_city = np.divmod(pairs, max(1, len(cities.values)))
        small = [(city or "").lower() for city in cities.values]
        found: list[Iterator[int]] = []
        for state in np.flatnonzero(np.bincount(in_state)).tolist():
            named = map(small.__getitem__, in_city[in_state == state].tolist())
            here = self._rows.cities.get(states.values[state] or "", {})
            found.append(map(here.get, named, repeat(state_of[state])))
        city_rows = _rows_of(chain.from_iterable(found))[pair]
        zip_codes = [zip_code or "" for zip_code in zips.values]
        zip_of = _rows_of(map(self._rows.zips.get, zip_codes, repeat(_UNSEEN)))
        for i in np.flatnonzero(zip_of == _UNSEEN).tolist():
            zip_of[i] = self._rows.zip3s.get(zip_codes[i][:3], _UNSEEN)
        zip_rows = zip_of[zips.codes]
        zip_rows = np.where(zip_rows == _UNSEEN, city_rows, zip_rows)
        # Whole rows, of which some columns are kept: `take` needs a fifth of the time of an index.
        out[:, :_AREA] = self._table.take(zip_rows, axis=0)
        out[:, _AREA : _AREA + _S] = self._table.take(city_rows, axis=0)[:, -_S:]
        out[:, _AREA + _S :] = self._table.take(state_rows, axis=0)[:, -_S:]

    def of_sites(self, sites: Sequence[Site]) -> NDArray[np.float32]:
        """The location features of sites, shape (sites, 15)."""
        out = np.empty((len(sites), len(LOCATION)), dtype=np.float32)
        self.fill(out, list(zip(*sites, strict=True)) if sites else [(), (), ()])
        return out

    def to_state(self) -> dict[str, Any]:
        """What `from_state` takes, as JSON values."""
        return {name: _pack(getattr(self, name)) for name in _LEVELS}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Places":
        """Rebuild from what `to_state` gave, bit for bit."""
        return cls(**{name: _unpack(state[name]) for name in _LEVELS})


_UNSEEN: Final = -1
_AT_ONCE: Final = 1_000
_BETWEEN: Final = "|"

_LEVELS: Final = ("country", "states", "cities", "zip3s", "surroundings", "zips")


def _rows_of(rows: Iterable[int]) -> NDArray[np.int64]:
    """The rows as numbers of numpy, a thousand at a time: a longer run of C would keep single houses waiting."""
    rows = iter(rows)
    parts: list[NDArray[np.int64]] = []
    while not parts or len(parts[-1]) == _AT_ONCE:
        parts.append(np.fromiter(islice(rows, _AT_ONCE), dtype=np.int64))
    return np.concatenate(parts)


def city_key(state: str | None, city: str | None) -> str:
    """Name a city within its state, whatever its case; empty where it is unknown."""
    return f"{state}{_BETWEEN}{city.lower()}" if state and city else ""


def _pack(level: Level) -> dict[str, Any]:
    return {"keys": level.keys, "columns": [[_number(value) for value in column] for column in level.values.T.tolist()]}


def _number(value: float) -> float | None:
    """A whole number without its point, NaN as null: shorter, and read back as the same float."""
    if np.isnan(value):
        return None
    return int(value) if value.is_integer() else value


def _unpack(state: Mapping[str, Any]) -> Level:
    columns = [np.array(column, dtype=np.float64) for column in state["columns"]]
    return Level(tuple(state["keys"]), np.column_stack(columns))
