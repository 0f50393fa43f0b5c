"""What a place is worth: tables by zip code, city and state, and how a listing is looked up in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

STATISTICS: Final = ("price", "price_per_sqft", "price_per_acre")
"""Geometric means over the listings of a place. [USD, USD per sqft of living area, USD per acre of land]"""

LOCATION: Final = (
    "latitude",
    "longitude",
    *(f"{name}_{where}" for where in ("nearby", "in_zip", "in_zip3", "in_city", "in_state") for name in STATISTICS),
)

_T: Final = len(STATISTICS)
_AREA: Final = 2 + 3 * _T

type Key = str | tuple[str, str]


@dataclass(frozen=True)
class Level:
    """One kind of place.

    Attributes:
        keys: Name of each place.
        values: One row per place; NaN is unknown.
    """

    keys: tuple[Key, ...]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Places:
    """Everything that is fitted about location.

    Each level has latitude, longitude [degrees], then the three statistics. The zip codes, known by their coordinates
    or by their listings, have the statistics nearby in between; their own are NaN where no listing was seen.

    Attributes:
        country: One row, for a place of which nothing is known.
        states: By name.
        cities: By state and city in lower case.
        zip3s: By the first three digits of the zip code.
        zips: By zip code.
    """

    country: Level
    states: Level
    cities: Level
    zip3s: Level
    zips: Level
    _table: NDArray[np.float32] = field(init=False, repr=False)
    _rows: tuple[dict[Key, int], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Lay all places in one table, so that a listing's features are rows of it."""
        coarse = (self.country, self.states, self.cities, self.zip3s)
        levels = (*coarse, self.zips)
        starts = np.cumsum([0, *(len(level.keys) for level in levels)]).tolist()
        rows = tuple(
            {key: start + i for i, key in enumerate(level.keys)} for start, level in zip(starts, levels, strict=False)
        )
        blocks = [level.values[:, [0, 1, *[2, 3, 4] * 3]] for level in coarse]
        around = [rows[3].get(str(key)[:3], 0) for key in self.zips.keys]
        zip3s = np.concatenate(blocks)[around, -_T:]
        own = self.zips.values[:, 2 + _T :]
        zips = [self.zips.values[:, : 2 + _T], np.where(np.isnan(own), zip3s, own), zip3s]
        table = np.concatenate([*blocks, np.concatenate(zips, axis=1)])
        object.__setattr__(self, "_table", table.astype(np.float32))
        object.__setattr__(self, "_rows", rows)

    def fill(self, out: NDArray[np.float32], texts: Sequence[Sequence[str | None]]) -> None:
        """Write the location features of n listings, in the order of LOCATION.

        A place that was never seen takes the row of the one around it: zip code, zip area, city, state, country.

        Args:
            out: Where to write, shape (n, 17).
            texts: State, city and zip code of each listing, n texts each; None is unknown.
        """
        states, cities, zips = texts
        _, by_state, by_city, by_zip3, by_zip = self._rows
        state_rows = [by_state.get(state, 0) for state in states]
        keys = map(city_key, states, cities)
        city_rows = [by_city.get(key, row) for key, row in zip(keys, state_rows, strict=True)]
        zip_rows = [
            row if (row := by_zip.get(code)) is not None else by_zip3.get(code[:3], other) if code else other
            for code, other in zip(zips, city_rows, strict=True)
        ]
        out[:, :_AREA] = self._table[zip_rows]
        out[:, _AREA : _AREA + _T] = self._table[city_rows, -_T:]
        out[:, _AREA + _T :] = self._table[state_rows, -_T:]

    def to_state(self) -> dict[str, Any]:
        """What `from_state` takes, as JSON values."""
        return {name: _pack(getattr(self, name)) for name in _LEVELS}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Places":
        """Rebuild from what `to_state` gave, bit for bit."""
        return cls(**{name: _unpack(state[name]) for name in _LEVELS})


_LEVELS: Final = ("country", "states", "cities", "zip3s", "zips")


def city_key(state: str | None, city: str | None) -> tuple[str, str] | None:
    """Name a city: within its state, whatever its case. An unknown city has no name."""
    return (state, city.lower()) if state and city else None


def _pack(level: Level) -> dict[str, Any]:
    columns = level.values.T.tolist()
    return {
        "keys": [list(key) if isinstance(key, tuple) else key for key in level.keys],
        "columns": [[None if value != value else value for value in column] for column in columns],
    }


def _unpack(state: Mapping[str, Any]) -> Level:
    keys = tuple([tuple(key) if isinstance(key, list) else key for key in state["keys"]])
    values = np.array(state["columns"], dtype=np.float64).T
    return Level(keys, np.ascontiguousarray(values).reshape(len(keys), -1))
