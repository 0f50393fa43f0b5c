"""Copies of listings with gaps, so that a model knows what an unknown number means where its source has none.

A source that drops incomplete listings teaches a tree nothing about a missing value: which way it goes is then chance,
and a house of which half the numbers are known is appraised at three times its price. Copies of which some numbers
were blanked, at random and whatever their price, teach it that nothing follows from the gap (gaps "completely at
random" in the terms of Rubin, 1976). Where the source has gaps of its own, those are learned from instead.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from appraiser_features import ListingRows
from appraiser_features.columns import NUMBERS
from appraiser_model.shares import share

OWN_GAPS: Final = 0.05
"""Share of listings with a number unknown, above which the source's own gaps are enough to learn from."""

COPIED: Final = 2
"""One training listing of so many gets a copy. On 15,000 real listings without gaps, copies of each, of every second
and of every fourth listing differ by less than chance (median error 15 % where everything is known, 19 % where half of
the numbers are, 28 % where only the place is; without copies 15 %, 173 % and 892 %)."""

SALT: Final = 100


def without_gaps(rows: ListingRows) -> tuple[str, ...]:
    """The numbers that hardly any of these listings lacks."""
    return tuple([name for name in NUMBERS if np.isnan(rows.number(name)).mean() < OWN_GAPS])


def blanked(row_hash: ArrayLike, fields: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which NUMBERS of which listing are unknown in its copy, shape (5, n): each of these fields in half of them."""
    gaps = np.zeros((len(NUMBERS), np.size(row_hash)), dtype=bool)
    for i, name in enumerate(fields):
        gaps[NUMBERS.index(name)] = share(row_hash, 2, SALT + i) == 0
    return gaps


def is_copied(row_hash: ArrayLike) -> NDArray[np.bool_]:
    """Which training listings get a copy with gaps, shape (n,)."""
    copied: NDArray[np.bool_] = share(row_hash, COPIED, SALT - 1) == 0
    return copied
