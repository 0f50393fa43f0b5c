"""What the living area alone would cost in a place: its price per square foot times the square feet.

A tree cuts one feature at a time and needs many cuts to imitate a product.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from appraiser_features.location import LOCATION
from appraiser_features.measures import MEASURES

WHERE: Final = ("nearby", "in_zip", "in_city")

EXPECTED: Final = tuple([f"size_value_{where}" for where in WHERE])
"""Living area times price per sqft around the zip code, in it and in the city. [USD]"""

SIZE: Final = MEASURES.index("house_size")
PER_SQFT: Final = tuple([len(MEASURES) + LOCATION.index(f"price_per_sqft_{where}") for where in WHERE])
"""Columns of the matrix that are multiplied."""

FIRST: Final = len(MEASURES) + len(LOCATION)


def fill_expected(matrix: NDArray[np.float32]) -> None:
    """Write EXPECTED behind the measures and the location of n listings.

    Args:
        matrix: Features, shape (n, 28); NaN where the living area or the price per sqft is unknown.
    """
    with np.errstate(over="ignore"):
        for i, per_sqft in enumerate(PER_SQFT):
            np.multiply(matrix[:, SIZE], matrix[:, per_sqft], out=matrix[:, FIRST + i])
