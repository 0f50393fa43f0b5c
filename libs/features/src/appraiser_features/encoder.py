"""The fitted encoder: from columns of listings to the matrix that the model takes."""

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appraiser_features.columns import NUMBERS, TEXTS, Columns, Listings, check
from appraiser_features.config import FeatureConfig
from appraiser_features.coordinates import zip_coordinates
from appraiser_features.errors import EncoderError, FingerprintError, TrainingError
from appraiser_features.fingerprint import CODE_FINGERPRINT
from appraiser_features.fitting import Sites, count, fit_places
from appraiser_features.location import LOCATION, Places
from appraiser_features.measures import MEASURES, fill_measures

type Typical = Mapping[str, float | str | None]

NAMES: Final = (*MEASURES, *LOCATION)
_M: Final = len(MEASURES)


@dataclass(frozen=True)
class FeatureEncoder:
    """Turns listings into features, the same way in training and in serving.

    Attributes:
        config: What was set when it was fitted.
        rows: How many listings it was fitted on.
        as_of: Latest sale among them; years are counted to this day.
        typical: Per listing column the median or the commonest value of these listings; None where all are unknown.
            prev_sold_date is written YYYY-MM-DD.
        listings_by_state, listings_by_zip, listings_by_city: How many of them stand where; a city is named by state
            and city in lower case.
        places: What was learned about location.
    """

    config: FeatureConfig
    rows: int
    as_of: dt.date
    typical: Typical
    listings_by_state: Mapping[str, int]
    listings_by_city: Mapping[tuple[str, str], int]
    listings_by_zip: Mapping[str, int]
    places: Places

    @classmethod
    def fit(
        cls,
        columns: Columns,
        price_usd: NDArray[np.float64],
        fold_ids: NDArray[np.int64],
        config: FeatureConfig | None = None,
    ) -> tuple["FeatureEncoder", NDArray[np.float32]]:
        """Learn from training listings, and give their features.

        Args:
            columns: The training listings, and no other.
            price_usd: Their prices. [USD], shape (n,), > 0
            fold_ids: Which fold each listing is in, shape (n,), at least two different. A listing's own location
                features are learned without its fold, so without its own price.
            config: How strongly statistics are smoothed.

        Returns:
            The encoder fitted on all listings, for serving; and the features to train on, float32, shape (n, k).

        Raises:
            ColumnsError: The columns are not listings.
            TrainingError: There is nothing to learn from.
        """
        config = config or FeatureConfig()
        listings = check(columns)
        prices, folds = _check_targets(listings, price_usd, fold_ids)
        coordinates = zip_coordinates()
        sites = Sites.of(listings.texts[1:], _statistics(listings, prices), coordinates)
        encoder = cls._describe(listings, sites, fit_places(sites, coordinates, config), config)
        matrix = np.empty((listings.rows, len(NAMES)), dtype=np.float32)
        for fold in np.unique(folds):
            held_out = folds == fold
            others = replace(encoder, places=fit_places(sites.only(~held_out), coordinates, config))
            matrix[held_out] = others._matrix(_only(listings, held_out))
        return encoder, matrix

    def transform(self, columns: Columns) -> NDArray[np.float32]:
        """Features of n listings, float32, shape (n, k), in the order of `names`; NaN is unknown.

        Row i depends on listing i alone: the same bits in a table of a million as on its own.

        Raises:
            ColumnsError: The columns are not listings.
        """
        return self._matrix(check(columns))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the order of the columns."""
        return NAMES

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the feature code, the names and everything fitted."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Write the encoder down exactly: `from_json` gives the same features bit for bit."""
        state = {
            "code": CODE_FINGERPRINT,
            "names": self.names,
            "config": self.config.model_dump(),
            "rows": self.rows,
            "as_of": self.as_of.isoformat(),
            "typical": self.typical,
            "listings_by_state": self.listings_by_state,
            "listings_by_city": [[*key, rows] for key, rows in self.listings_by_city.items()],
            "listings_by_zip": self.listings_by_zip,
            "places": self.places.to_state(),
        }
        return json.dumps(state, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "FeatureEncoder":
        """Rebuild an encoder.

        Raises:
            FingerprintError: Another version of the feature code fitted it.
            EncoderError: The text is no encoder.
        """
        try:
            state = json.loads(text)
            if state["code"] != CODE_FINGERPRINT or tuple(state["names"]) != NAMES:
                raise FingerprintError(state["code"], CODE_FINGERPRINT)
            return cls(
                config=FeatureConfig.model_validate(state["config"]),
                rows=state["rows"],
                as_of=dt.date.fromisoformat(state["as_of"]),
                typical=state["typical"],
                listings_by_state=state["listings_by_state"],
                listings_by_city={(s, city): rows for s, city, rows in state["listings_by_city"]},
                listings_by_zip=state["listings_by_zip"],
                places=Places.from_state(state["places"]),
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise EncoderError(f"{type(error).__name__}: {error}") from error

    @cached_property
    def _as_of_day(self) -> float:
        return float((self.as_of - dt.date(1970, 1, 1)).days)

    def _matrix(self, listings: Listings) -> NDArray[np.float32]:
        out = np.empty((listings.rows, len(NAMES)), dtype=np.float32)
        fill_measures(out[:, :_M], listings.numbers, listings.texts[0], self._as_of_day)
        self.places.fill(out[:, _M:], listings.texts[1:])
        return out

    @classmethod
    def _describe(cls, listings: Listings, sites: Sites, places: Places, config: FeatureConfig) -> "FeatureEncoder":
        latest = np.nanmax(listings.numbers[4], initial=0.0)
        return cls(
            config=config,
            rows=listings.rows,
            as_of=_day(latest),
            typical=_typical(listings),
            listings_by_state=count(sites.state),
            listings_by_city=count(sites.city),
            listings_by_zip=count(sites.zip),
            places=places,
        )


def _day(days: float) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(days))


def _check_targets(
    listings: Listings, price_usd: NDArray[np.float64], fold_ids: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    prices, folds = np.asarray(price_usd, dtype=np.float64), np.asarray(fold_ids)
    if listings.rows == 0:
        raise TrainingError("there are no listings")
    if prices.shape != (listings.rows,) or folds.shape != (listings.rows,):
        raise TrainingError(
            f"{listings.rows} listings come with prices of shape {prices.shape} and folds of shape {folds.shape}"
        )
    if not (np.isfinite(prices) & (prices > 0)).all():
        raise TrainingError("a price is not a number above 0; keep such rows out of the training rows")
    if len(np.unique(folds)) < 2:
        raise TrainingError("all listings are in one fold, so that none can be encoded without its own price")
    return prices, folds


def _statistics(listings: Listings, prices: NDArray[np.float64]) -> NDArray[np.float64]:
    acre_lot, house_size = (np.where(row > 0, row, np.nan) for row in listings.numbers[2:4])
    return np.log(np.column_stack([prices, prices / house_size, prices / acre_lot]))


def _only(listings: Listings, rows: NDArray[np.bool_]) -> Listings:
    kept = np.flatnonzero(rows).tolist()
    texts = tuple([[text[i] for i in kept] for text in listings.texts])
    return Listings(listings.numbers[:, rows], texts, len(kept))


def _typical(listings: Listings) -> dict[str, float | str | None]:
    """Medians of the numbers; the commonest state, its commonest city and the commonest zip code there."""
    typical: dict[str, float | str | None] = {}
    for name, row in zip(NUMBERS, listings.numbers, strict=True):
        known = row[np.isfinite(row)]
        typical[name] = float(np.median(known)) if len(known) else None
    if isinstance(day := typical["prev_sold_date"], float):
        typical["prev_sold_date"] = _day(day).isoformat()
    status, state, city, zip_code = listings.texts
    typical["status"] = _commonest(status)
    typical["state"] = _commonest(state)
    typical["city"] = _commonest([c for c, s in zip(city, state, strict=True) if s == typical["state"]])
    typical["zip_code"] = _commonest(
        [z for z, c, s in zip(zip_code, city, state, strict=True) if (c, s) == (typical["city"], typical["state"])]
    )
    return typical


def _commonest(values: Sequence[str | None]) -> str | None:
    counts = Counter(value for value in values if value is not None)
    return min(counts, key=lambda value: (-counts[value], value)) if counts else None
