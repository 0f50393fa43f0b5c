"""The valuation model: from listings to prices, intervals and exact contributions."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appraiser_features import Columns, FeatureEncoder, SingleEncoder
from appraiser_model.domain import Domain
from appraiser_model.engine import contributions
from appraiser_model.interval import ConformalInterval, Kind, kinds_of
from appraiser_model.trees import Trees
from appraiser_schema import Listing

type Floats = NDArray[np.float64]
type Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Appraised:
    """What n houses are worth. [USD], each of shape (n,).

    Attributes:
        price_usd: The appraisal, an estimate of the median price of houses like this one.
        lower_usd: Lower bound of the prediction interval.
        upper_usd: Upper bound.
    """

    price_usd: Floats
    lower_usd: Floats
    upper_usd: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """Why n houses are worth what they are worth: base_usd plus a row of effect_usd is the appraisal.

    Attributes:
        base_usd: What the model expects before anything is known of the house. [USD]
        effect_log: SHAP values, in units of the natural logarithm of the price, shape (n, k).
        effect_usd: The same in dollars, shape (n, k).
        names: Names of the k features.
    """

    base_usd: float
    effect_log: Floats
    effect_usd: Floats
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingLog:
    """How training went.

    Attributes:
        seconds: How long it took.
        rows_train: Listings that were trained on.
        rows_validation: Listings on which it was decided when to stop.
        rows_calibration: Listings on which the interval was calibrated; in neither of the others.
        curve: Mean absolute error of the logarithm of the price on the validation listings, after each tree.
    """

    seconds: float
    rows_train: int
    rows_validation: int
    rows_calibration: int
    curve: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ValuationModel:
    """A trained model. Safe to use from several threads at once.

    Attributes:
        encoder: From listings to features.
        trees: From features to the natural logarithm of the price less `centre_log`, cut to the best iteration.
        centre_log: Median of the natural logarithm of the price of the training listings. Trees are summed up in single
            precision: of numbers around 0 the sum is a hundred times as exact as of numbers around 12.
        interval: From appraisals to intervals.
        domain: What the training listings spanned.
        log: How training went; None where the model was read from a file.
    """

    encoder: FeatureEncoder
    trees: Trees
    centre_log: float
    interval: ConformalInterval
    domain: Domain
    log: TrainingLog | None = None

    def appraise(self, columns: Columns) -> Appraised:
        """Appraise n listings; row i has the same bits in a table of a million as on its own.

        Args:
            columns: Listings, as `appraiser_schema.frames` builds them from a table or from single houses.

        Raises:
            ColumnsError: The columns are not listings.
        """
        return self.appraise_features(self.encoder.transform(columns))

    def appraise_features(self, matrix: NDArray[np.float32]) -> Appraised:
        """Appraise n listings by the features that `encoder` made of them.

        Args:
            matrix: Shape (n, k), in rows that follow each other.
        """
        price = to_usd(self.trees.margin(matrix) + self.centre_log)
        lower, upper = self.interval.bounds(price, kinds_of(matrix)).T
        return Appraised(price, lower, upper)

    def appraise_few(self, *listings: Listing) -> list[tuple[float, float, float]]:
        """Price, lower and upper bound of each house [USD]: the bits of `appraise`, in some 20 to 50 µs for each."""
        rows = [self._single_encoder.transform(listing) for listing in listings]
        margins = self.trees.margins_of(rows[0] if len(rows) == 1 else np.concatenate(rows))
        prices = [math.exp(margin + self.centre_log) for margin in margins]
        bounds_of = self.interval.bounds_of
        return [(price, *bounds_of(price, kind_of(listing))) for price, listing in zip(prices, listings, strict=True)]

    def explain(self, columns: Columns) -> Explained:
        """Attribute the appraisals of n listings to the features, exactly.

        SHAP values (Lundberg and Lee, 2017; the path-dependent tree algorithm of Lundberg and others, 2020) sum up
        to the logarithm of the price. An effect e becomes e * L dollars, L the logarithmic mean of price and base
        (the additive form of Ang, 2005, "The LMDI approach to decomposition analysis"), so that the dollars sum up
        to price less base without a remainder.
        """
        matrix = self.encoder.transform(columns)
        log_price = self.trees.margin(matrix) + self.centre_log
        effects = contributions(self.booster, matrix)
        base_log = self.centre_log + (float(effects[0, -1]) if len(matrix) else 0.0)
        effect_log = _close(effects[:, :-1], log_price - base_log)
        base_usd = math.exp(base_log)
        per_log = logarithmic_mean(to_usd(log_price), base_usd)
        return Explained(base_usd, effect_log, effect_log * per_log[:, None], self.encoder.names)

    @property
    def booster(self) -> Any:
        """The trees as `xgboost.Booster`."""
        return self.trees.booster

    @property
    def rounds(self) -> int:
        """Number of trees."""
        return int(self.booster.num_boosted_rounds())

    @cached_property
    def known_cities(self) -> dict[str, frozenset[str]]:
        """By state, the cities that it has learned from, in lower case."""
        cities = self.encoder.listings_by_city
        return {state: frozenset(city.lower() for city in known) for state, known in cities.items()}

    @cached_property
    def _single_encoder(self) -> SingleEncoder:
        return SingleEncoder(self.encoder)


def kind_of(listing: Listing) -> Kind:
    """How much is known of a house, as `kinds_of` finds it from the features."""
    if listing.house_size is None:
        return Kind.UNKNOWN if listing.bed is None else Kind.BEDROOMS_KNOWN
    complete = listing.bed is not None and listing.bath is not None and listing.acre_lot is not None
    return Kind.COMPLETE if complete else Kind.SIZE_KNOWN


def to_usd(log_price: Floats) -> Floats:
    """Prices from their logarithms. [USD], shape (n,).

    One by one: the vectorised exponential need not agree with itself in the last bit from one number of rows, or one
    processor, to another. It is a hundredth of the work of the trees.
    """
    return np.array([math.exp(value) for value in log_price.tolist()], dtype=np.float64)


def logarithmic_mean(price_usd: Floats, base_usd: float) -> Floats:
    """(p - b) / (ln p - ln b), and p where the two are equal. [USD], shape (n,)."""
    ratio = price_usd / base_usd - 1.0
    logarithm = np.log1p(ratio)
    quotient = np.divide(ratio, logarithm, out=np.ones_like(ratio), where=np.abs(ratio) > 1e-9)
    mean: Floats = base_usd * quotient
    return mean


def _close(effect_log: Floats, total_log: Floats) -> Floats:
    """Let the effects sum up to the total in double precision.

    XGBoost adds them up in single precision. What is missing, about a millionth, goes to the effects by their size.
    """
    size = np.abs(effect_log)
    missing = (total_log - effect_log.sum(axis=1))[:, None]
    shares = np.divide(size, size.sum(axis=1, keepdims=True), out=np.zeros_like(size), where=size > 0)
    closed: Floats = effect_log + missing * shares
    return closed
