"""Single houses as the columns that `appraiser_features` takes, without a table library in between.

An application that serves single houses imports this module and never pays for polars and pandera.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appraiser_schema.listing import Listing

type Columns = Mapping[str, Any]
"""The nine columns of `Listing`: bed, bath, acre_lot, house_size as float64 arrays, shape (n,), NaN is unknown; status,
state, city, zip_code as lists of str or None, or `Coded`; prev_sold_date as float64 days since 1970-01-01, NaN is
unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column of n texts of which many are the same, such as the states of a million houses.

    Attributes:
        values: The different texts; None is unknown.
        codes: For each house the index of its text in `values`, shape (n,), int64.
    """

    values: Sequence[str | None]
    codes: NDArray[np.int64]

    def __len__(self) -> int:
        """How many texts the column has; n."""
        return len(self.codes)

    def __iter__(self) -> Iterator[str | None]:
        """The texts, as a list would give them."""
        return map(self.values.__getitem__, self.codes.tolist())


_EPOCH: Final = dt.date(1970, 1, 1).toordinal()


def listing_columns(listings: Sequence[Listing]) -> Columns:
    """Turn validated houses into what `appraiser_features` takes."""
    sold = [listing.prev_sold_date for listing in listings]
    return {
        "status": [listing.status.value for listing in listings],
        "bed": _floats(listing.bed for listing in listings),
        "bath": _floats(listing.bath for listing in listings),
        "acre_lot": _floats(listing.acre_lot for listing in listings),
        "house_size": _floats(listing.house_size for listing in listings),
        "state": [listing.state for listing in listings],
        "city": [listing.city for listing in listings],
        "zip_code": [listing.zip_code for listing in listings],
        "prev_sold_date": _floats(None if day is None else float(day.toordinal() - _EPOCH) for day in sold),
    }


def _floats(values: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
