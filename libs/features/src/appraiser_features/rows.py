"""Listings on their way into a matrix: kept small on disk, encoded some at a time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appraiser_features.columns import NUMBERS, Columns, Listings, check, each
from appraiser_features.measures import STATUS_CODES
from appraiser_features.sites import Site, SiteNumbers
from appraiser_features.spill import Spill
from appraiser_schema.columns import Coded

_STATUSES: Final = (*STATUS_CODES, None)
_STATUS_NUMBER: Final = {status: number for number, status in enumerate(STATUS_CODES)}


class ListingRows:
    """n listings on disk, 46 bytes each, without their texts: a status is a number, and so is a site."""

    def __init__(self, folder: Path | None = None) -> None:
        """Keep no listings yet.

        Args:
            folder: Where the disk is used; None is the system's folder for such files.
        """
        self._sites = SiteNumbers()
        numbers = dict.fromkeys(NUMBERS, np.float64)
        self._spill = Spill({**numbers, "status": np.uint8, "site": np.int32, "fold": np.uint8}, folder)

    def __len__(self) -> int:
        """How many listings there are."""
        return self._spill.rows

    @property
    def sites(self) -> tuple[Site, ...]:
        """Every site that a listing names."""
        return self._sites.sites

    def add(self, columns: Columns) -> None:
        """Add listings.

        Raises:
            ColumnsError: The columns are not listings.
        """
        self.add_checked(check(columns))

    def add_checked(self, listings: Listings, fold: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Add listings that were checked.

        Args:
            listings: Listings.
            fold: Which fold each is in, below 256; None where there are no folds.

        Returns:
            The index of each listing's site in `sites`, shape (n,).
        """
        site = self._sites.of(listings.texts[1:])
        status = each(listings.texts[0], lambda value: _STATUS_NUMBER.get(value or "", len(_STATUS_NUMBER)))
        folds = np.zeros(listings.rows, dtype=np.uint8) if fold is None else fold
        self._spill.append(**dict(zip(NUMBERS, listings.numbers, strict=True)), status=status, site=site, fold=folds)
        return site

    def number(self, name: str) -> NDArray[np.float64]:
        """A column of NUMBERS, shape (n,); NaN is unknown."""
        return self._spill.read(name)

    def count_statuses(self) -> dict[str, int]:
        """How many listings have each status."""
        counts = np.bincount(self._spill.read("status"), minlength=len(STATUS_CODES)).tolist()
        return dict(zip(STATUS_CODES, counts, strict=False))

    def read(self, start: int, stop: int) -> "Part":
        """Rows start to stop."""
        numbers = np.array([self._spill.read(name, start, stop) for name in NUMBERS])
        status, site, fold = (
            self._spill.read(name, start, stop).astype(np.int64) for name in ("status", "site", "fold")
        )
        return Part(numbers, Coded(_STATUSES, status), site, fold)

    def close(self) -> None:
        """Give the disk back."""
        self._spill.close()


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some listings, read back.

    Attributes:
        numbers: One row per name in NUMBERS, shape (5, n); NaN is unknown.
        status: Status of each listing.
        site: Index of each listing's site in `ListingRows.sites`, shape (n,).
        fold: Fold of each, shape (n,).
    """

    numbers: NDArray[np.float64]
    status: Coded
    site: NDArray[np.int64]
    fold: NDArray[np.int64]
