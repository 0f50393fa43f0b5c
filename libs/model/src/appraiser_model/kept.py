"""Listings on their way into a model: kept on disk, and read back some at a time as features and prices."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from appraiser_features import Columns, EncodedRows, FeatureFit, ListingRows, Spill
from appraiser_model.config import TrainingConfig
from appraiser_model.errors import TrainingError
from appraiser_model.gaps import blanked, is_copied
from appraiser_model.shares import share
from appraiser_schema import Split

type Floats = NDArray[np.float64]
type Matrix = NDArray[np.float32]

FOLD_SALT: Final = 1
HALF_SALT: Final = 2

ROWS_PER_PAGE: Final = 131_072
"""Listings that are encoded at once, 13 MB. Fixed: XGBoost finds its bins page by page, so that another size would give
other bins, and another model."""


class Prices:
    """Prices and hashes of listings, on disk."""

    def __init__(self, folder: Path | None) -> None:
        self._spill = Spill({"price_usd": np.float64, "row_hash": np.int64}, folder)

    def __len__(self) -> int:
        """How many listings there are."""
        return self._spill.rows

    def add(self, price_usd: Floats, row_hash: NDArray[np.int64]) -> None:
        """Add listings."""
        self._spill.append(price_usd=price_usd, row_hash=row_hash)

    def price_usd(self, start: int = 0, stop: int | None = None) -> Floats:
        """Prices [USD] of rows start to stop, all by default."""
        return self._spill.read("price_usd", start, stop)

    def row_hash(self, start: int = 0, stop: int | None = None) -> NDArray[np.int64]:
        """Hashes of rows start to stop, all by default."""
        return self._spill.read("row_hash", start, stop)


class Gathered:
    """The listings that a model is made from, as they come chunk by chunk.

    Attributes:
        fit: What is learned from the training listings.
        train: Prices of the training listings.
        stopping: Half of the validation listings, by their hash, with their prices: they say when to stop.
        calibration: The other half: the interval is calibrated on them.
    """

    def __init__(self, config: TrainingConfig, folder: Path | None) -> None:
        self.fit = FeatureFit(config.features, folder)
        self.train = Prices(folder)
        self.stopping = ListingRows(folder), Prices(folder)
        self.calibration = ListingRows(folder), Prices(folder)
        self._folds = config.folds

    def add(self, split: Split, frame: pl.DataFrame) -> None:
        """Add clean listings of a split; those of the test split are not looked at.

        Raises:
            TrainingError: A price is not above 0.
        """
        if split is Split.VALIDATION:
            first = share(frame["row_hash"].to_numpy(), 2, HALF_SALT) == 0
            for (rows, prices), half in ((self.stopping, first), (self.calibration, ~first)):
                part = frame.filter(half)
                prices.add(_prices(part), part["row_hash"].to_numpy())
                rows.add(_columns(part))
        elif split is Split.TRAIN:
            price_usd, row_hash = _prices(frame), frame["row_hash"].to_numpy()
            self.train.add(price_usd, row_hash)
            self.fit.add(_columns(frame), price_usd, share(row_hash, self._folds, FOLD_SALT))


@dataclass(frozen=True, eq=False)
class Pages:
    """Features and prices of listings, and of copies of them with gaps, some at a time.

    Attributes:
        rows: The listings.
        prices: Their prices.
        fields: The numbers that are unknown in half of the copies.
        copies: Which listings get a copy: none, those that training copies, or all.
    """

    rows: EncodedRows
    prices: Prices
    fields: tuple[str, ...] = ()
    copies: str = "none"

    def __len__(self) -> int:
        """How many pages there are."""
        return math.ceil(len(self.rows) / ROWS_PER_PAGE)

    def __iter__(self) -> Iterator[tuple[Matrix, Floats]]:
        """Every page in turn."""
        return map(self.page, range(len(self)))

    def page(self, number: int) -> tuple[Matrix, Floats]:
        """Features, shape (n, k), and prices [USD], shape (n,), of the listings of a page and of their copies."""
        start, stop = number * ROWS_PER_PAGE, (number + 1) * ROWS_PER_PAGE
        matrix, price_usd = self.rows.read(start, stop), self.prices.price_usd(start, stop)
        if self.copies == "none" or not self.fields:
            return matrix, price_usd
        row_hash = self.prices.row_hash(start, stop)
        copied = is_copied(row_hash) if self.copies == "some" else np.ones(len(row_hash), dtype=bool)
        # The place keeps its out-of-fold statistics; the encoder knows the prices of these very listings.
        copies = self.rows.read(start, stop, blanked(row_hash, self.fields))[copied]
        return np.concatenate([matrix, copies]), np.concatenate([price_usd, price_usd[copied]])


class Encoded:
    """Pages whose features lie on disk once somebody has asked for them: XGBoost asks for each four times."""

    def __init__(self, pages: Pages, folder: Path | None) -> None:
        """Keep nothing yet.

        Args:
            pages: What is kept: 120 bytes for each listing and each copy of one.
            folder: Where; None is the system's folder for such files.
        """
        self._pages = pages
        self._features, self._prices = Spill({"features": np.float32}, folder), Spill({"price_usd": np.float64}, folder)
        self._ends = [0]

    def __len__(self) -> int:
        """How many pages there are."""
        return len(self._pages)

    def page(self, number: int) -> tuple[Matrix, Floats]:
        """The page of `pages` with this number, bit for bit. The first time they are asked for in their order."""
        if number == len(self._ends) - 1:
            matrix, price_usd = self._pages.page(number)
            self._features.append(features=matrix.reshape(-1))
            self._prices.append(price_usd=price_usd)
            self._ends.append(self._prices.rows)
            return matrix, price_usd
        start, stop = self._ends[number : number + 2]
        width = len(self._pages.rows.names)
        features = self._features.read("features", start * width, stop * width)
        return features.reshape(-1, width), self._prices.read("price_usd", start, stop)

    def close(self) -> None:
        """Give the disk back."""
        self._features.close()
        self._prices.close()


def _prices(frame: pl.DataFrame) -> Floats:
    prices = frame["price"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    if not (prices > 0).all():
        raise TrainingError("a price is unknown or not above 0; keep such rows out of the clean table")
    return prices


def _columns(frame: pl.DataFrame) -> Columns:
    # It brings all the rules of tables, which are of no use to those who only serve.
    from appraiser_schema.frames import to_columns  # noqa: PLC0415

    return to_columns(frame, coded=True)
