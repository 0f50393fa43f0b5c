"""Which new listings call for a new model, and why."""

import numpy as np
import polars as pl
from pipeline_stand import Land, rows

from appraiser_pipeline.context import Context
from appraiser_pipeline.policy import TrainingPolicy
from appraiser_pipeline.steps.clean_and_split import clean_and_split
from appraiser_pipeline.steps.decide_training import (
    decide_training,
    drift_reasons,
    error_reason,
    new_category_reason,
)
from appraiser_pipeline.steps.validate import validate
from appraiser_schema import Outcome

POLICY = TrainingPolicy()


def market(seed: int, factor: float = 1.0, state: str = "Texas", count: int = 2_000) -> pl.DataFrame:
    """Listings of one state at a level of prices."""
    rng = np.random.default_rng(seed)
    numbers = {name: rng.normal(3, 1, count) for name in ("bed", "bath", "acre_lot", "house_size")}
    return pl.DataFrame(
        {"price": rng.normal(200, 30, count) * factor, **numbers, "status": ["sold"] * count, "state": [state] * count}
    )


class TestDrift:
    """Effect sizes of the price and of the features."""

    def test_same_market(self) -> None:
        """More of the same speaks for nothing."""
        assert [reason.passed for reason in drift_reasons(market(1), market(2), POLICY)] == [False, False]

    def test_prices(self) -> None:
        """Dearer houses of the same kind are drift of the target alone, with its figure and threshold."""
        target, features = drift_reasons(market(1), market(2, factor=1.3), POLICY)
        assert (target.rule, target.passed, features.passed) == ("target_drift", True, False)
        assert target.figure is not None
        assert target.figure > POLICY.most_drift == target.threshold

    def test_feature(self) -> None:
        """The feature that moved most is named."""
        new = market(2).with_columns(pl.col("bath") + 3)
        features = list(drift_reasons(market(1), new, POLICY))[1]
        assert features.passed
        assert features.text.startswith("The stability index of bath, the feature that moved most,")

    def test_every_figure(self) -> None:
        """Every feature is kept with its figure and threshold, the one that moved most first."""
        new = market(2).with_columns(pl.col("bath") + 3)
        features = list(drift_reasons(market(1), new, POLICY))[1]
        assert {part.name for part in features.parts} == {*("bed", "bath", "acre_lot", "house_size", "status", "state")}
        assert features.parts[0].name == "bath"
        assert features.parts[0].figure == features.figure
        assert all(part.threshold == POLICY.most_drift for part in features.parts)

    def test_few_rows(self) -> None:
        """Twelve rows of the same market call for nothing, and it is said why they might seem to."""
        target, features = drift_reasons(market(1), market(2, count=12), POLICY)
        assert (target.passed, features.passed) == (False, False)
        assert target.figure is not None
        assert target.figure > POLICY.most_drift
        assert "which so few rows reach by chance" in target.text


class TestChampionError:
    """The champion's error on the new rows, and how sure it is."""

    def errors(self, count: int, median: float) -> np.ndarray:
        """Absolute percentage errors with about this median."""
        return np.random.default_rng(7).exponential(median / np.log(2), count)

    def test_many(self) -> None:
        """Half as large again on two thousand rows, it speaks, with figure, interval and threshold."""
        reason = error_reason(self.errors(2_000, 22.5), 15.0, POLICY)
        assert reason.passed
        assert reason.interval is not None
        assert reason.figure is not None
        assert POLICY.most_error_growth < reason.interval[0] < reason.figure < reason.interval[1]
        assert "all of it over 1.2" in reason.text

    def test_unsure(self) -> None:
        """A figure over the threshold that chance may have given does not."""
        reason = error_reason(self.errors(40, 22.5), 15.0, POLICY)
        assert reason.figure is not None
        assert reason.figure > POLICY.most_error_growth
        assert not reason.passed
        assert "not all of it over 1.2" in reason.text

    def test_twelve_rows(self) -> None:
        """Twelve rows never do, however wrong the champion is on them."""
        reason = error_reason(self.errors(12, 500.0), 15.0, POLICY)
        assert not reason.passed
        assert "too few rows to tell, of which 30 are needed" in reason.text

    def test_within(self) -> None:
        """As large as it was, it does not."""
        reason = error_reason(self.errors(2_000, 15.0), 15.0, POLICY)
        assert not reason.passed
        assert reason.text.endswith("within 1.2.")


class TestNewCategory:
    """States that the champion has never seen."""

    def test_new_state(self) -> None:
        """It is named, with its rows."""
        new = pl.concat([market(2), market(3, state="Utah", count=40)])
        reason = new_category_reason(market(1), new, POLICY)
        assert reason.passed
        assert reason.text == "The champion has never seen the state Utah (40 rows)."

    def test_oddity(self) -> None:
        """A few rows of one do not count."""
        new = pl.concat([market(2), market(3, state="Utah", count=29)])
        reason = new_category_reason(market(1), new, POLICY)
        assert not reason.passed
        assert [(part.name, part.figure, part.threshold) for part in reason.parts] == [("state Utah", 29, 30)]


class TestDecision:
    """Without a champion."""

    def test_first_model(self, context: Context, land: Land) -> None:
        """Enough listings and no champion: a model is trained; the decision stands when it is asked for again."""
        land(0, rows(400))
        validate(context, 0)
        clean_and_split(context, 0)
        decision = decide_training(context, 0)
        assert decision.outcome is Outcome.TRAIN
        assert decision.summary == "A new model is trained. There is no champion yet."
        assert decide_training(context, 0) == decision

    def test_too_few(self, context: Context, land: Land) -> None:
        """Too few listings make no model, and the numbers are said."""
        land(0, rows(50))
        validate(context, 0)
        batch = clean_and_split(context, 0)
        decision = decide_training(context, 0)
        assert decision.outcome is Outcome.SKIP
        assert f"There are {batch.rows_train} training rows so far; a model needs 200." in decision.summary
