"""Metrics, intervals and segments, held against figures worked out by hand."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraiser_model import Appraised, ConformalInterval, ModelError, measure, segment_scores
from appraiser_model.interval import ROWS_PER_KIND, least_rows
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


class TestInterval:
    """Conformal intervals."""

    def test_rank(self) -> None:
        """Nine rows are the fewest for 90 %, and the widest residual is the half width."""
        assert least_rows(0.9) == 9
        miss = np.arange(9.0) / 10
        interval = ConformalInterval.calibrate(miss, np.full(9, 1e5), np.ones(9, bool), 0.9)
        assert interval.size_known.half_widths_log == (0.8,)

    @settings(deadline=None, max_examples=10)
    @given(seed=st.integers(0, 1000))
    def test_coverage(self, seed: int) -> None:
        """New houses like those it was calibrated on lie inside as often as stated, whatever their kind."""
        rng = np.random.default_rng(seed)
        price = rng.uniform(1e5, 1e6, 12_000)
        known = rng.random(12_000) < 0.7
        residual = rng.normal(0, np.where(known, 0.2, 0.6) * price / 1e6)
        interval = ConformalInterval.calibrate(residual[:6000], price[:6000], known[:6000], 0.9)
        below, above = interval.factors(price[6000:], known[6000:]).T
        inside = (np.exp(residual[6000:]) >= below) & (np.exp(residual[6000:]) <= above)
        assert inside[known[6000:]].mean() == pytest.approx(0.9, abs=0.04)
        assert inside[~known[6000:]].mean() == pytest.approx(0.9, abs=0.04)

    def test_kinds(self) -> None:
        """A kind of house whose residuals are wider has wider intervals."""
        rng = np.random.default_rng(0)
        price = rng.uniform(1e5, 1e6, 4000)
        known = np.arange(4000) % 2 == 0
        residual = rng.normal(0, np.where(known, 0.1, 0.5))
        interval = ConformalInterval.calibrate(residual, price, known, 0.9)
        assert max(interval.size_known.half_widths_log) < min(interval.size_unknown.half_widths_log)
        assert len(interval.size_known.half_widths_log) == 5

    def test_few(self) -> None:
        """A kind of house with few rows takes the half width of all."""
        known = np.arange(400) < 401 - ROWS_PER_KIND
        interval = ConformalInterval.calibrate(np.linspace(0, 1, 400), np.full(400, 1e5), known, 0.9)
        assert interval.size_unknown.half_widths_log == (pytest.approx(0.9, abs=0.01),)
        assert interval.size_known.half_widths_log == (pytest.approx(0.79, abs=0.01),)

    def test_equal_prices(self) -> None:
        """Where all appraisals are equal there is one bin."""
        interval = ConformalInterval.calibrate(np.linspace(0, 1, 2000), np.full(2000, 1e5), np.ones(2000, bool), 0.9)
        assert interval.size_known.edges_usd == ()

    def test_state(self) -> None:
        """What was written and read is the same interval."""
        rng = np.random.default_rng(0)
        args = rng.normal(0, 0.2, 3000), rng.uniform(1e5, 1e6, 3000), rng.random(3000) < 0.5
        interval = ConformalInterval.calibrate(*args, 0.8)
        assert ConformalInterval.from_state(interval.to_state()) == interval


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
