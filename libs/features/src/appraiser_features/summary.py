"""What an encoder has seen: the usual listing, and how many listings stand where."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np

from appraiser_features.columns import NUMBERS, Listings

type Typical = Mapping[str, float | str | None]

EPOCH = dt.date(1970, 1, 1)


def usual_listing(listings: Listings) -> Typical:
    """Median of each number; the commonest status and state, its commonest city and the commonest zip code there.

    Returns:
        A value per column of a listing, None where all are unknown; prev_sold_date is written YYYY-MM-DD.
    """
    usual: dict[str, float | str | None] = {}
    for name, row in zip(NUMBERS, listings.numbers, strict=True):
        known = row[np.isfinite(row)]
        usual[name] = float(np.median(known)) if len(known) else None
    if isinstance(day := usual["prev_sold_date"], float):
        usual["prev_sold_date"] = (EPOCH + dt.timedelta(days=int(day))).isoformat()
    status, state, city, zip_code = listings.texts
    usual["status"] = _commonest(status)
    usual["state"] = home = _commonest(state)
    usual["city"] = town = _commonest(c for c, s in zip(city, state, strict=True) if s == home)
    here = zip(zip_code, city, state, strict=True)
    usual["zip_code"] = _commonest(z for z, c, s in here if c == town and s == home)
    return MappingProxyType(usual)


def count_cities(listings: Listings) -> dict[str, dict[str, int]]:
    """How many listings each city has, by state and then by city as it is most often written."""
    _, states, cities, _ = listings.texts
    spellings: dict[str, dict[str, Counter[str]]] = {}
    for (state, city), rows in Counter(zip(states, cities, strict=True)).items():
        if state and city:
            spellings.setdefault(state, {}).setdefault(city.lower(), Counter())[city] += rows
    return {
        state: {_commonest(counts.elements()) or city: counts.total() for city, counts in sorted(by_city.items())}
        for state, by_city in sorted(spellings.items())
    }


def _commonest(values: Iterable[str | None]) -> str | None:
    counts = Counter(value for value in values if value)
    return min(counts, key=lambda value: (-counts[value], value)) if counts else None
