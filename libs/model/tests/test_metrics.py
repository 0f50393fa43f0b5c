"""Metrics and segments, held against figures worked out by hand."""

import numpy as np
import polars as pl
import pytest

from appraiser_model import Appraised, ModelError, measure, segment_scores
from appraiser_model.metrics import ratio_study


def appraised(*price: float, factor: float = 2.0) -> Appraised:
    """Appraisals with an interval from price / factor to price * factor."""
    values = np.array(price)
    return Appraised(values, values / factor, values * factor)


class TestMeasure:
    """Errors."""

    def test_by_hand(self) -> None:
        """Three houses, appraised 10 % too high, right, and at half."""
        metrics = measure([100.0, 200.0, 400.0], appraised(110.0, 200.0, 200.0, factor=1.5))
        assert metrics["mae"] == pytest.approx(70)
        assert metrics["rmse"] == pytest.approx(np.sqrt((100 + 40_000) / 3))
        assert metrics["r2"] == pytest.approx(1 - 40_100 / (140_000 / 3))
        assert metrics["mape"] == pytest.approx(20)
        assert metrics["mdape"] == pytest.approx(10)
        assert metrics["ppe10"] == pytest.approx(200 / 3)
        assert metrics["coverage"] == pytest.approx(200 / 3)
        assert metrics["interval_width"] == pytest.approx(100 * (1.5 - 1 / 1.5))

    def test_one_house(self) -> None:
        """Of a single house every metric is a number."""
        metrics = measure([100.0], appraised(110.0))
        assert (metrics["r2"], metrics["prb"], metrics["cod"]) == (0.0, 0.0, 0.0)
        assert np.isfinite(list(metrics.values())).all()

    def test_nothing(self) -> None:
        """There is nothing to measure without houses."""
        with pytest.raises(ModelError, match="cannot be held against"):
            measure([], appraised())

    def test_shapes(self) -> None:
        """Prices of other houses are refused."""
        with pytest.raises(ModelError, match="cannot be held against"):
            measure([1.0, 2.0], appraised(1.0))


class TestRatioStudy:
    """Figures of a ratio study."""

    def test_by_hand(self) -> None:
        """Ratios of .8, 1 and 1.1 on prices of 100, 200 and 300."""
        figures = ratio_study(np.array([100.0, 200.0, 300.0]), np.array([80.0, 200.0, 330.0]))
        assert figures["median_ratio"] == pytest.approx(1)
        assert figures["cod"] == pytest.approx(10)
        assert figures["prd"] == pytest.approx((2.9 / 3) / (610 / 600))

    def test_bias(self) -> None:
        """A ratio that falls by a tenth when the value doubles has a PRB of about -.1 and a PRD above 1."""
        price = 100_000 * 2.0 ** np.linspace(0, 4, 500)
        figures = ratio_study(price, price * (1.2 - 0.1 * np.linspace(0, 4, 500)))
        assert figures["prb"] == pytest.approx(-0.1, abs=0.02)
        assert figures["prd"] > 1.03

    def test_level(self) -> None:
        """All appraisals twice too high: the level says so, and nothing else does."""
        price = np.array([100.0, 250.0, 900.0])
        figures = ratio_study(price, price * 2)
        assert figures == pytest.approx({"median_ratio": 2, "cod": 0, "prd": 1, "prb": 0})


class TestSegments:
    """Parts of the test listings."""

    TEST = pl.DataFrame(
        {
            "batch_number": [4, 4, 10],
            "state": ["Texas", "Ohio", "Texas"],
            "price": [99_999.0, 300_000.0, 2_000_000.0],
        }
    )

    def test_scores(self) -> None:
        """Every part with listings has both models' errors."""
        scores = segment_scores(self.TEST, [100_000.0, 310_000.0, 1_000_000.0], [99_999.0, 300_000.0, 2_000_001.0])
        found = {(s.kind, s.name): (s.rows, s.challenger_mae, s.champion_mae) for s in scores}
        assert found == {
            ("batch", "4"): (2, 5_000.5, 0.0),
            ("batch", "10"): (1, 1_000_000.0, 1.0),
            ("state", "Ohio"): (1, 10_000.0, 0.0),
            ("state", "Texas"): (2, 500_000.5, 0.5),
            ("price_band", "below 100,000 USD"): (1, 1.0, 0.0),
            ("price_band", "300,000 to 500,000 USD"): (1, 10_000.0, 0.0),
            ("price_band", "from 1,000,000 USD"): (1, 1_000_000.0, 1.0),
        }

    def test_order(self) -> None:
        """Batches stand by number, bands from below."""
        names = [s.name for s in segment_scores(self.TEST, [1.0, 1.0, 1.0])]
        assert names[:2] == ["4", "10"]
        assert names[-3:] == ["below 100,000 USD", "300,000 to 500,000 USD", "from 1,000,000 USD"]

    def test_no_champion(self) -> None:
        """Without a champion there is nothing to compare with."""
        assert {s.champion_mae for s in segment_scores(self.TEST, [1.0, 1.0, 1.0])} == {None}
