"""Training: the same every time, on what it may see, cut at its best."""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraiser_features import FeatureConfig
from appraiser_model import TrainingConfig, TrainingError, ValuationModel, measure, train
from appraiser_model.kept import HALF_SALT
from appraiser_model.shares import share
from appraiser_schema.frames import to_columns

if TYPE_CHECKING:
    from conftest import Market


def trees(model: ValuationModel) -> bytes:
    """The bytes of model.ubj."""
    return bytes(model.booster.save_raw("ubj"))


class TestTrain:
    """From listings to a model."""

    def test_learns(self, model: ValuationModel, market: "Market") -> None:
        """The market's rule is found: the noise of 20 % is nearly all that is left."""
        metrics = measure(market.test["price"], model.appraise(to_columns(market.test)))
        assert metrics["mdape"] < 20
        assert metrics["r2"] > 0.8

    def test_same_bytes(self, model: ValuationModel, market: "Market", config: TrainingConfig) -> None:
        """The same rows and seed give the same file, whatever the number of threads."""
        again = train(market.train, market.validation, config.model_copy(update={"threads": 2}))
        assert trees(again) == trees(model)
        assert again.encoder.to_json() == model.encoder.to_json()
        assert (again.interval, again.domain) == (model.interval, model.domain)

    def test_seed(self, model: ValuationModel, market: "Market", config: TrainingConfig) -> None:
        """Another seed gives another file: the test above can fail."""
        again = train(market.train, market.validation, config.model_copy(update={"seed": 2}))
        assert trees(again) != trees(model)

    @pytest.mark.parametrize("gain", [0.0, 0.01])
    def test_cut(self, market: "Market", config: TrainingConfig, gain: float) -> None:
        """Trees grown after the last fall of the error that counts are cut off."""
        model = train(market.train, market.validation, config.model_copy(update={"least_gain": gain, "patience": 5}))
        assert model.log is not None
        least, last = np.inf, 0
        for number, error in enumerate(model.log.curve, start=1):
            if least - error > gain:
                least, last = error, number
        assert model.rounds == last
        assert gain or model.rounds == int(np.argmin(model.log.curve)) + 1

    def test_least_gain(self, market: "Market", config: TrainingConfig) -> None:
        """What brings next to nothing is not grown."""
        every, few = (
            train(market.train, market.validation, config.model_copy(update={"least_gain": gain, "patience": 5}))
            for gain in (0.0, 0.01)
        )
        assert few.rounds < every.rounds

    def test_stops(self, market: "Market", config: TrainingConfig) -> None:
        """When nothing is gained any more, training stops and the cut model is what appraises."""
        eager = config.model_copy(update={"learning_rate": 0.9, "max_rounds": 500, "patience": 5})
        model = train(market.train, market.validation, eager)
        assert model.log is not None
        assert model.rounds < len(model.log.curve) == model.rounds + 5
        assert int(model.booster.num_boosted_rounds()) == model.rounds

    def test_log(self, model: ValuationModel, market: "Market") -> None:
        """Every validation listing is used once, and the time is told."""
        assert model.log is not None
        assert model.log.rows_train == market.train.height
        assert model.log.rows_validation + model.log.rows_calibration == market.validation.height
        assert 0 < model.log.seconds < 100

    def test_calibration_apart(self, model: ValuationModel, market: "Market", config: TrainingConfig) -> None:
        """Prices of the calibration half change the interval and not the trees."""
        hashes = market.validation["row_hash"].to_numpy()
        calibration = market.validation.filter(share(hashes, 2, HALF_SALT) != 0)
        half = pl.col("row_hash").is_in(calibration["row_hash"].implode())
        changed = market.validation.with_columns(price=pl.when(half).then(pl.col("price") * 2).otherwise("price"))
        again = train(market.train, changed, config)
        assert trees(again) == trees(model)
        assert again.interval != model.interval

    def test_order(self, market: "Market", config: TrainingConfig) -> None:
        """A listing is in the same fold and half wherever it stands in the table."""
        hashes = market.train["row_hash"].to_numpy()
        assert share(hashes[::-1], config.folds, 1).tolist() == share(hashes, config.folds, 1).tolist()[::-1]

    def test_settings(self, market: "Market", config: TrainingConfig) -> None:
        """Settings of the encoder reach it, and the other objective trains."""
        features = FeatureConfig(zip_weight=500)
        other = config.model_copy(update={"features": features, "objective": "reg:squarederror", "max_rounds": 3})
        model = train(market.train, market.validation, other)
        assert model.encoder.config == features
        assert model.appraise(to_columns(market.test)).price_usd.min() > 0


class TestRefused:
    """What cannot be learned from."""

    def test_few_rows(self, market: "Market") -> None:
        """Too few listings are refused, with the numbers that are needed."""
        with pytest.raises(TrainingError, match="calibrate the interval on, where 10, 1 and 9 are needed"):
            train(market.train, market.validation[:10])

    def test_shared_rows(self, market: "Market") -> None:
        """A listing in both tables is refused: it would flatter."""
        with pytest.raises(TrainingError, match="5 validation listings are training listings too"):
            train(market.train, pl.concat([market.validation, market.train[:5]]))

    @pytest.mark.parametrize("price", [None, 0.0, -1.0])
    def test_prices(self, market: "Market", price: float | None) -> None:
        """A listing without a price is refused."""
        with pytest.raises(TrainingError, match="a price is unknown or not above 0"):
            train(market.train.with_columns(price=pl.lit(price, pl.Float64)), market.validation)


class TestShare:
    """Rows divided by their hash."""

    @given(st.lists(st.integers(0, 2**63 - 1), min_size=1), st.integers(1, 10))
    def test_parts(self, hashes: list[int], parts: int) -> None:
        """Every row belongs to one of the parts, on its own as among others."""
        together = share(hashes, parts, 1)
        assert set(together.tolist()) <= set(range(parts))
        assert together[:1].tolist() == share(hashes[:1], parts, 1).tolist()

    def test_even(self) -> None:
        """Parts are of one size, even where the split took the hashes by their remainder."""
        parts = np.bincount(share(np.arange(0, 1_000_000, 100), 5, 1))
        assert parts.min() > 1_900

    def test_salt(self) -> None:
        """Two divisions are independent of each other."""
        hashes = np.arange(10_000)
        both = np.bincount(share(hashes, 2, 1) * 2 + share(hashes, 2, 2))
        assert both.min() > 2_400


class TestConfig:
    """What can be set."""

    def test_unknown(self) -> None:
        """A parameter that does not exist is refused."""
        with pytest.raises(ValueError, match="Extra inputs"):
            TrainingConfig.model_validate({"n_estimators": 3})
