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

from appraiser_features.columns import Columns, Texts, check
from appraiser_features.config import FeatureConfig
from appraiser_features.errors import EncoderError, FingerprintError
from appraiser_features.expected import EXPECTED, fill_expected
from appraiser_features.fingerprint import CODE_FINGERPRINT
from appraiser_features.location import LOCATION, Places
from appraiser_features.measures import MEASURES, fill_measures
from appraiser_features.rows import ListingRows
from appraiser_features.summary import EPOCH, Typical

NAMES: Final = (*MEASURES, *LOCATION, *EXPECTED)
_M: Final = len(MEASURES)
_PLACE: Final = slice(_M, _M + len(LOCATION))


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
    ) -> tuple["FeatureEncoder", NDArray[np.float32]]:
        """Learn from training listings that fit into memory, as `FeatureFit` does, and give their features.

        Returns:
            The encoder fitted on all listings, for serving; and the features to train on, float32, shape (n, k).

        Raises:
            ColumnsError: The columns are not listings.
            TrainingError: There is nothing to learn from.
        """
        from appraiser_features.fit import FeatureFit  # noqa: PLC0415 - it imports this module

        fit = FeatureFit(config)
        fit.add(columns, price_usd, fold_ids)
        encoder, rows = fit.finish()
        return encoder, rows.read(0, len(rows))

    def transform(self, columns: Columns) -> NDArray[np.float32]:
        """Features of n listings, float32, shape (n, k), in the order of `names`; NaN is unknown.

        Row i depends on listing i alone: it has the same bits in a table of a million as on its own.

        Raises:
            ColumnsError: The columns are not listings.
        """
        listings = check(columns)
        out = _measured(listings.numbers, listings.texts[0], self.as_of)
        self.places.fill(out[:, _PLACE], listings.texts[1:])
        fill_expected(out)
        return _known(out)

    def encode(self, rows: ListingRows) -> "EncodedRows":
        """The features of listings that lie on disk: of each the same as by `transform`, bit for bit."""
        return EncodedRows.of(rows, self.as_of, {0: self.places})

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


@dataclass(frozen=True, eq=False)
class EncodedRows:
    """The features of n listings that lie on disk, computed when they are read.

    Attributes:
        rows: The listings.
        as_of: The day to which years are counted.
        places: Location features of each site for listings of each fold, shape (folds, sites, 15).
    """

    rows: ListingRows
    as_of: dt.date
    places: NDArray[np.float32]

    @classmethod
    def of(cls, rows: ListingRows, as_of: dt.date, by_fold: Mapping[int, Places]) -> Self:
        """Look every site up once for each fold, given the places that were learned without the fold."""
        sites = rows.sites
        places = np.empty((max(by_fold) + 1, len(sites), len(LOCATION)), dtype=np.float32)
        for fold, learned in by_fold.items():
            places[fold] = learned.of_sites(sites)
        return cls(rows, as_of, places)

    def __len__(self) -> int:
        """How many listings there are."""
        return len(self.rows)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the order of the columns."""
        return NAMES

    def read(self, start: int, stop: int, unknown: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
        """Features of rows start to stop, float32, shape (rows, k).

        Args:
            start: First row.
            stop: Row after the last.
            unknown: Which NUMBERS of which row to take for unknown, shape (5, rows).
        """
        part = self.rows.read(start, stop)
        numbers = part.numbers if unknown is None else np.where(unknown, np.nan, part.numbers)
        out = _measured(numbers, part.status, self.as_of)
        _, sites, width = self.places.shape
        out[:, _PLACE] = self.places.reshape(-1, width).take(part.fold * sites + part.site, axis=0)
        fill_expected(out)
        return _known(out)


def _measured(numbers: NDArray[np.float64], status: Texts, as_of: dt.date) -> NDArray[np.float32]:
    """A matrix with the measures of listings in it, and room for what follows."""
    out = np.empty((numbers.shape[1], len(NAMES)), dtype=np.float32)
    with np.errstate(over="ignore"):
        fill_measures(out[:, :_M], numbers, status, float((as_of - EPOCH).days))
    return out


def _known(out: NDArray[np.float32]) -> NDArray[np.float32]:
    """A ratio too large to write is unknown; and there is one NaN only, where processors have many."""
    np.copyto(out, np.nan, where=~np.isfinite(out))
    return out
