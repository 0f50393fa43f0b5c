"""What is computed from the listing itself: its own numbers, ratios and dates.

Only additions, multiplications, divisions and comparisons: these are correctly rounded whatever the number of rows,
where vectorised logarithms need not agree with scalar ones in the last bit. Trees have no need of logarithms.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from appraiser_features.columns import Texts, each

SQFT_PER_ACRE: Final = 43_560.0
DAYS_PER_YEAR: Final = 365.25

STATUS_CODES: Final = {"for_sale": 0.0, "sold": 1.0, "ready_to_build": 2.0}
"""Fixed here, not learned, so that the same status has the same code in every model."""

MEASURES: Final = (
    "bed",
    "bath",
    "house_size",
    "acre_lot",
    "rooms",
    "bath_per_bed",
    "sqft_per_bed",
    "lot_per_house",
    "status",
    "years_since_sale",
)


def fill_measures(
    out: NDArray[np.float32],
    numbers: NDArray[np.float64],
    status: Texts,
    as_of_day: float,
) -> None:
    """Write the measures of n listings, in the order of MEASURES.

    Args:
        out: Where to write, shape (n, 10). NaN is unknown; a ratio to zero is unknown.
        numbers: bed, bath, acre_lot [acres], house_size [sqft], prev_sold_date [days since 1970-01-01]; shape (5, n).
        status: Status of each listing, n texts; one that is not known gives NaN.
        as_of_day: The day on which the model's knowledge ends. [days since 1970-01-01]
    """
    bed, bath, acre_lot, house_size, sold_day = numbers
    bedrooms = np.where(bed > 0, bed, np.nan)
    out[:, 0] = bed
    out[:, 1] = bath
    out[:, 2] = house_size
    out[:, 3] = acre_lot
    out[:, 4] = bed + bath
    out[:, 5] = bath / bedrooms
    out[:, 6] = house_size / bedrooms
    out[:, 7] = acre_lot * SQFT_PER_ACRE / np.where(house_size > 0, house_size, np.nan)
    out[:, 8] = each(status, lambda value: STATUS_CODES.get(value or "", np.nan))
    out[:, 9] = (as_of_day - sold_day) / DAYS_PER_YEAR
