"""The fitted encoder: from columns of listings to the matrix that the model takes."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from appraiser_features.columns import Columns, Listings, check
from appraiser_features.config import FeatureConfig
from appraiser_features.errors import EncoderError, FingerprintError, TrainingError
from appraiser_features.fingerprint import CODE_FINGERPRINT
from appraiser_features.fitting import Sites, fit_places, price_statistics
from appraiser_features.location import LOCATION, Places
from appraiser_features.measures import MEASURES, fill_measures
from appraiser_features.positions import zip_positions
from appraiser_features.summary import EPOCH, Typical, count_cities, usual_listing

NAMES: Final = (*MEASURES, *LOCATION)
_M: Final = len(MEASURES)


@dataclass(frozen=True, eq=False)
class FeatureEncoder:
    """Turns listings into features, the same way in training and in serving.

    Attributes:
        config: What was set when it was fitted.
        rows: How many listings it was fitted on.
        as_of: Latest sale among them; years are counted to this day.
        typical: Per listing column the median or the commonest value of these listings; None where all are unknown.
            prev_sold_date is written YYYY-MM-DD.
        listings_by_state: How many of these listings stand in each state.
        listings_by_city: By state, then by city as it is most often written.
        listings_by_zip: By zip code.
        places: What was learned about location.
    """

    config: FeatureConfig
    rows: int
    as_of: dt.date
    typical: Typical
    listings_by_state: Mapping[str, int]
    listings_by_city: Mapping[str, Mapping[str, int]]
    listings_by_zip: Mapping[str, int]
    places: Places

    @classmethod
    def fit(
        cls, columns: Columns, price_usd: ArrayLike, fold_ids: ArrayLike, config: FeatureConfig | None = None
    ) -> tuple[Self, NDArray[np.float32]]:
        """Learn from training listings, and give their features.

        Args:
            columns: The training listings, and no other.
            price_usd: Their prices. [USD], shape (n,), > 0
            fold_ids: Which fold each listing is in, shape (n,), at least two different. The location features of a
                listing are learned without its fold, so without its own price.
            config: How strongly statistics are smoothed.

        Returns:
            The encoder fitted on all listings, for serving; and the features to train on, float32, shape (n, k).

        Raises:
            ColumnsError: The columns are not listings.
            TrainingError: There is nothing to learn from.
        """
        config = config or FeatureConfig()
        listings = check(columns)
        prices, folds = _check_targets(listings.rows, price_usd, fold_ids)
        positions = zip_positions()
        _, _, acre_lot, house_size, sold_day = listings.numbers
        sites = Sites.of(listings.texts[1:], price_statistics(prices, house_size, acre_lot), positions)
        encoder = cls(
            config=config,
            rows=listings.rows,
            as_of=EPOCH + dt.timedelta(days=int(np.fmax.reduce(sold_day, initial=0.0))),
            typical=usual_listing(listings),
            listings_by_state=sites.state.counts(),
            listings_by_city=count_cities(listings),
            listings_by_zip=sites.zip_code.counts(),
            places=fit_places(sites, positions, config),
        )
        matrix = np.empty((listings.rows, len(NAMES)), dtype=np.float32)
        for fold in np.unique(folds):
            held_out = folds == fold
            others = fit_places(sites.only(~held_out), positions, config)
            matrix[held_out] = _encode(listings.only(held_out), encoder.as_of, others)
        return encoder, matrix

    def transform(self, columns: Columns) -> NDArray[np.float32]:
        """Features of n listings, float32, shape (n, k), in the order of `names`; NaN is unknown.

        Row i depends on listing i alone: it has the same bits in a table of a million as on its own.

        Raises:
            ColumnsError: The columns are not listings.
        """
        return _encode(check(columns), self.as_of, self.places)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the order of the columns."""
        return NAMES

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the feature code, the names and everything fitted."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Write the encoder down exactly: `from_json` gives the same features, bit for bit."""
        state = {
            "code": CODE_FINGERPRINT,
            "names": NAMES,
            "config": self.config.model_dump(),
            "rows": self.rows,
            "as_of": self.as_of.isoformat(),
            "typical": dict(self.typical),
            "listings_by_state": self.listings_by_state,
            "listings_by_city": self.listings_by_city,
            "listings_by_zip": self.listings_by_zip,
            "places": self.places.to_state(),
        }
        return json.dumps(state, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild an encoder.

        Raises:
            FingerprintError: Another version of the feature code fitted it.
            EncoderError: The text is no encoder.
        """
        try:
            state = json.loads(text)
            if state["code"] != CODE_FINGERPRINT or tuple(state["names"]) != NAMES:
                raise FingerprintError(state["code"], CODE_FINGERPRINT)
            return cls._from_state(state)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise EncoderError(f"{type(error).__name__}: {error}") from error

    @classmethod
    def _from_state(cls, state: Mapping[str, Any]) -> Self:
        return cls(
            config=FeatureConfig.model_validate(state["config"]),
            rows=state["rows"],
            as_of=dt.date.fromisoformat(state["as_of"]),
            typical=state["typical"],
            listings_by_state=state["listings_by_state"],
            listings_by_city=state["listings_by_city"],
            listings_by_zip=state["listings_by_zip"],
            places=Places.from_state(state["places"]),
        )


def _encode(listings: Listings, as_of: dt.date, places: Places) -> NDArray[np.float32]:
    """The one way from listings to features, in training and in serving."""
    out = np.empty((listings.rows, len(NAMES)), dtype=np.float32)
    with np.errstate(over="ignore"):
        fill_measures(out[:, :_M], listings.numbers, listings.texts[0], float((as_of - EPOCH).days))
    places.fill(out[:, _M:], listings.texts[1:])
    # A ratio too large to write is unknown; and there is one NaN only, where processors have many.
    np.copyto(out, np.nan, where=~np.isfinite(out))
    return out


def _check_targets(
    rows: int, price_usd: ArrayLike, fold_ids: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    prices, folds = np.asarray(price_usd, dtype=np.float64), np.asarray(fold_ids)
    if rows == 0:
        raise TrainingError("there are no listings")
    if prices.shape != (rows,) or folds.shape != (rows,):
        raise TrainingError(f"{rows} listings come with prices of shape {prices.shape} and folds of {folds.shape}")
    if not (np.isfinite(prices) & (prices > 0)).all():
        raise TrainingError("a price is not a number above 0; keep such rows out of the training rows")
    if (folds == folds[0]).all():
        raise TrainingError("all listings are in one fold, so that none can be encoded without its own price")
    return prices, folds
