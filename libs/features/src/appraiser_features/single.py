"""The features of one house, in plain Python: a few µs, where arrays of one entry take twenty times as long.

The same bits as `FeatureEncoder.transform` gives: Python's numbers are the double precision that arrays have, and what
is written here is rounded to single precision once, at the end, as there. A test holds the two against each other.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appraiser_features.encoder import NAMES, FeatureEncoder
from appraiser_features.expected import FIRST, PER_SQFT, SIZE
from appraiser_features.location import POSITION, STATISTICS
from appraiser_features.measures import DAYS_PER_YEAR, MEASURES, SQFT_PER_ACRE, STATUS_CODES
from appraiser_features.summary import EPOCH
from appraiser_schema import Listing

_M: Final = len(MEASURES)
_CITY: Final = _M + len(POSITION) + 2 * len(STATISTICS)
_STATE: Final = FIRST - len(STATISTICS)
_S: Final = len(STATISTICS)
_EPOCH: Final = EPOCH.toordinal()

_TOO_LARGE: Final = 2.0**128 - 2.0**103
"""From here on, a number is rounded to infinity in single precision, and a ratio that large is unknown."""


class SingleEncoder:
    """Encodes houses one by one.

    Args:
        encoder: The fitted encoder.
    """

    def __init__(self, encoder: FeatureEncoder) -> None:
        places = encoder.places
        self._as_of = float(encoder.as_of.toordinal() - _EPOCH)
        self._table = places._table  # noqa: SLF001 - the same library
        self._rows = places._rows  # noqa: SLF001

    def transform(self, listing: Listing) -> NDArray[np.float32]:
        """Features of a house, float32, shape (1, k); NaN is unknown."""
        out = np.empty((1, len(NAMES)), dtype=np.float32)
        row = out[0]
        row[:_M] = self._measures(listing)
        states, cities, zip3s, zips = self._rows
        state = states.get(listing.state, 0)
        city = cities.get(listing.state, {}).get((listing.city or "").lower(), state)
        code = listing.zip_code or ""
        place = zips.get(code)
        if place is None:
            place = zip3s.get(code[:3], city)
        table = self._table
        row[_M:_CITY] = table[place]
        row[_CITY:_STATE] = table[city, -_S:]
        row[_STATE:FIRST] = table[state, -_S:]
        # The product of two numbers in single precision is exact in double precision, and rounded once, as there.
        size = row.item(SIZE)
        row[FIRST:] = [_finite(size * row.item(per_sqft)) for per_sqft in PER_SQFT]
        return out

    def _measures(self, listing: Listing) -> tuple[float, ...]:
        bed, bath = _known(listing.bed), _known(listing.bath)
        acre_lot, house_size = _known(listing.acre_lot), _known(listing.house_size)
        bedrooms = bed if bed > 0 else math.nan
        sold = listing.prev_sold_date
        return (
            bed,
            bath,
            house_size,
            acre_lot,
            bed + bath,
            _finite(bath / bedrooms),
            _finite(house_size / bedrooms),
            _finite(acre_lot * SQFT_PER_ACRE / (house_size if house_size > 0 else math.nan)),
            STATUS_CODES.get(listing.status, math.nan),
            math.nan if sold is None else (self._as_of - (sold.toordinal() - _EPOCH)) / DAYS_PER_YEAR,
        )


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _finite(value: float) -> float:
    return value if -_TOO_LARGE < value < _TOO_LARGE else math.nan
