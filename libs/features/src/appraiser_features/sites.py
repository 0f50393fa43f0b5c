"""Sites: the combinations of state, city and zip code that listings name. There are far fewer of them than listings."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appraiser_features.columns import Texts, code

type Site = tuple[str | None, str | None, str | None]
"""State, city and zip code, as written; None is unknown."""


def distinct_sites(texts: Sequence[Texts]) -> tuple[list[Site], NDArray[np.int64]]:
    """Find the different sites of n listings.

    Args:
        texts: State, city and zip code of each listing.

    Returns:
        The sites, and for each listing the index of its own, shape (n,).
    """
    columns = tuple(map(code, texts))
    shape = tuple([max(1, len(column.values)) for column in columns])
    keys, site = np.unique(np.ravel_multi_index([c.codes for c in columns], shape), return_inverse=True)
    names = [
        map(column.values.__getitem__, codes.tolist())
        for column, codes in zip(columns, np.unravel_index(keys, shape), strict=True)
    ]
    return list(zip(*names, strict=True)), site


class SiteNumbers:
    """Numbers the sites of listings that come chunk by chunk; which gets which number depends on the chunks."""

    def __init__(self) -> None:
        self._number: dict[Site, int] = {}

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites so far, by their numbers."""
        return tuple(self._number)

    def __len__(self) -> int:
        """How many sites there are."""
        return len(self._number)

    def of(self, texts: Sequence[Texts]) -> NDArray[np.int64]:
        """The number of each listing's site, shape (n,); sites that were not seen before get the next ones."""
        sites, site = distinct_sites(texts)
        numbers = np.array([self._number.setdefault(one, len(self._number)) for one in sites], dtype=np.int64)
        return numbers[site]
