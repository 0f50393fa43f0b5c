"""What an encoder has seen: the usual listing, and how many listings stand where."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType

import numpy as np

from appraiser_features.columns import NUMBERS
from appraiser_features.rows import ListingRows
from appraiser_features.sites import Site

type Typical = Mapping[str, float | str | None]
type SiteCounts = Mapping[Site, int]
"""How many listings each site has."""

EPOCH = dt.date(1970, 1, 1)


def usual_listing(rows: ListingRows, sites: SiteCounts) -> Typical:
    """Median of each number; the commonest status and state, its commonest city and the commonest zip code there.

    Returns:
        A value per column of a listing, None where all are unknown; prev_sold_date is written YYYY-MM-DD.
    """
    usual: dict[str, float | str | None] = {name: _median(rows, name) for name in NUMBERS}
    if isinstance(day := usual["prev_sold_date"], float):
        usual["prev_sold_date"] = (EPOCH + dt.timedelta(days=int(day))).isoformat()
    usual["status"] = _commonest(rows.count_statuses().items())
    usual["state"] = home = _commonest((state, n) for (state, _, _), n in sites.items())
    usual["city"] = town = _commonest((city, n) for (state, city, _), n in sites.items() if state == home)
    usual["zip_code"] = _commonest(
        (zip_code, n) for (state, city, zip_code), n in sites.items() if state == home and city == town
    )
    return MappingProxyType(usual)


def count_cities(sites: SiteCounts) -> dict[str, dict[str, int]]:
    """How many listings each city has, by state and then by city as it is most often written."""
    written: Counter[tuple[str, str]] = Counter()
    for (state, city, _), rows in sites.items():
        if state and city:
            written[state, city] += rows
    cities: dict[str, dict[str, int]] = {}
    # Spellings of one city stand together, the commonest first and of equals the first by name.
    in_order = sorted((state, city.lower(), -rows, city) for (state, city), rows in written.items())
    for (state, _), together in groupby(in_order, key=itemgetter(0, 1)):
        spellings = list(together)
        cities.setdefault(state, {})[spellings[0][-1]] = sum(-less for _, _, less, _ in spellings)
    return cities


def _median(rows: ListingRows, name: str) -> float | None:
    values = rows.number(name)
    known = values[np.isfinite(values)]
    return float(np.median(known, overwrite_input=True)) if len(known) else None


def _commonest(counted: Iterable[tuple[str | None, int]]) -> str | None:
    """The name with the highest count, the first by name at a tie; one name may come several times."""
    counts: Counter[str] = Counter()
    for name, rows in counted:
        if name and rows:
            counts[name] += rows
    return min(counts, key=lambda name: (-counts[name], name)) if counts else None
