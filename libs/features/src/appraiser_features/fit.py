"""Fitting an encoder on listings that come chunk by chunk."""

import datetime as dt
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from appraiser_features.columns import Columns, check
from appraiser_features.config import FeatureConfig
from appraiser_features.encoder import EncodedRows, FeatureEncoder
from appraiser_features.errors import TrainingError
from appraiser_features.fitting import Tallying, fit_places, price_statistics
from appraiser_features.positions import zip_positions
from appraiser_features.rows import ListingRows
from appraiser_features.summary import EPOCH, count_cities, usual_listing

MOST_FOLDS = 256


class FeatureFit:
    """Learns from training listings. What comes of it is the same however they are cut into chunks, bit for bit.

    Listings are added up by site and fold as they come, and kept on disk, so that memory does not grow with them.
    """

    def __init__(self, config: FeatureConfig | None = None, folder: Path | None = None) -> None:
        """Begin without listings.

        Args:
            config: How strongly statistics are smoothed.
            folder: Where the listings are kept meanwhile; None is the system's folder for such files.
        """
        self.config = config or FeatureConfig()
        self.rows = ListingRows(folder)
        self._tallying = Tallying()

    def add(self, columns: Columns, price_usd: ArrayLike, fold_ids: ArrayLike) -> None:
        """Learn from more listings.

        Args:
            columns: Training listings, and no other.
            price_usd: Their prices. [USD], shape (n,), > 0
            fold_ids: Which fold each listing is in, shape (n,), whole numbers from 0 to 255. The location features of a
                listing are learned without its fold, so without its own price.

        Raises:
            ColumnsError: The columns are not listings.
            TrainingError: A price or a fold is not what it must be.
        """
        listings = check(columns)
        prices, folds = _check_targets(listings.rows, price_usd, fold_ids)
        _, _, acre_lot, house_size, _ = listings.numbers
        site = self.rows.add_checked(listings, folds)
        self._tallying.add(site, folds, price_statistics(prices, house_size, acre_lot))

    def finish(self) -> tuple[FeatureEncoder, EncodedRows]:
        """What was learned.

        Returns:
            The encoder fitted on all listings, for serving; and the features to train on.

        Raises:
            TrainingError: There is nothing to learn from.
        """
        tally = self._tallying.tally(self.rows.sites)
        folds = np.flatnonzero(tally.rows.sum(axis=0)).tolist()
        _check_folds(len(self.rows), folds)
        positions = zip_positions()
        everything = tally.everything(positions)
        counts = dict(zip(tally.sites, everything.rows.tolist(), strict=True))
        encoder = FeatureEncoder(
            config=self.config,
            rows=len(self.rows),
            as_of=self._as_of(),
            typical=usual_listing(self.rows, counts),
            listings_by_state=everything.state.counts(everything.rows),
            listings_by_city=count_cities(counts),
            listings_by_zip=everything.zip_code.counts(everything.rows),
            places=fit_places(everything, positions, self.config),
        )
        # Only training listings are encoded with the tables of a fold: no other zip code is asked for.
        here = positions.among(everything.zip_code.keys)
        by_fold = {fold: fit_places(tally.without(fold, everything), here, self.config) for fold in folds}
        return encoder, EncodedRows.of(self.rows, encoder.as_of, by_fold)

    def _as_of(self) -> dt.date:
        sold_day = self.rows.number("prev_sold_date")
        return EPOCH + dt.timedelta(days=int(np.fmax.reduce(sold_day, initial=0.0)))


def _check_targets(
    rows: int, price_usd: ArrayLike, fold_ids: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    prices, folds = np.asarray(price_usd, dtype=np.float64), np.asarray(fold_ids)
    if prices.shape != (rows,) or folds.shape != (rows,):
        raise TrainingError(f"{rows} listings come with prices of shape {prices.shape} and folds of {folds.shape}")
    if not (np.isfinite(prices) & (prices > 0)).all():
        raise TrainingError("a price is not a number above 0; keep such rows out of the training rows")
    if not np.isin(folds, np.arange(MOST_FOLDS)).all():
        raise TrainingError(f"a fold is not a whole number from 0 to {MOST_FOLDS - 1}")
    return prices, folds.astype(np.int64)


def _check_folds(rows: int, folds: list[int]) -> None:
    if not rows:
        raise TrainingError("there are no listings")
    if len(folds) < 2:
        raise TrainingError("all listings are in one fold, so that none can be encoded without its own price")
