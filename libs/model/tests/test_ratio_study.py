"""The ratio study, held against the package assesspy of the assessors of Cook County.

Both follow the Standard on Ratio Studies (IAAO, 2013), and agree on every figure. assesspy regresses for the PRB with
statsmodels; ours is the same slope in closed form, and defined for a single value, of which assesspy takes none.
"""

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray

from appraiser_model.metrics import ratio_study

with warnings.catch_warnings():
    # It brings statsmodels and pandas, in which others find what to deprecate.
    warnings.simplefilter("ignore")
    assesspy = pytest.importorskip("assesspy")

type Floats = NDArray[np.float64]


def build_market(rows: int, seed: int) -> tuple[Floats, Floats]:
    """Prices, round as people ask them, and estimates of them: dear houses too low, a few far off."""
    rng = np.random.default_rng(seed)
    price = np.exp(rng.normal(12.6, 0.8, rows)).clip(10_000, 5_000_000).round(-2)
    error = rng.normal(0, 0.3, rows) + (rng.random(rows) < 0.02) * rng.normal(0, 2, rows)
    return price, np.exp(12.6 + 0.85 * (np.log(price) - 12.6) + error)


class TestAssesspy:
    """Every figure is assesspy's."""

    @pytest.mark.parametrize(("rows", "seed"), [(3, 0), (30, 1), (1000, 2), (20_000, 3)])
    def test_figures(self, rows: int, seed: int) -> None:
        """On markets of every size."""
        price, estimate = build_market(rows, seed)
        ours = ratio_study(price, estimate)
        assert ours["median_ratio"] == pytest.approx(float(np.median(estimate / price)), rel=1e-12)
        assert ours["cod"] == pytest.approx(assesspy.cod(estimate, price), rel=1e-9)
        assert ours["prd"] == pytest.approx(assesspy.prd(estimate, price), rel=1e-9)
        assert ours["prb"] == pytest.approx(assesspy.prb(estimate, price), rel=1e-6, abs=1e-9)

    def test_assessors_sample(self) -> None:
        """On the assessors' own sample of real sales."""
        sample = assesspy.ccao_sample()
        price, estimate = sample["sale_price"].to_numpy(float), sample["estimate"].to_numpy(float)
        ours = ratio_study(price, estimate)
        assert ours["cod"] == pytest.approx(assesspy.cod(estimate, price), rel=1e-9)
        assert ours["prd"] == pytest.approx(assesspy.prd(estimate, price), rel=1e-9)
        assert ours["prb"] == pytest.approx(assesspy.prb(estimate, price), rel=1e-6)

    def test_single_value(self) -> None:
        """Where all houses have one value, the PRB is 0 and every other figure is assesspy's."""
        price, estimate = np.full(5, 2e5), np.full(5, 2.2e5)
        ours = ratio_study(price, estimate)
        assert ours["prb"] == 0.0
        assert ours["cod"] == pytest.approx(assesspy.cod(estimate, price), abs=1e-9)
        assert ours["prd"] == pytest.approx(assesspy.prd(estimate, price), rel=1e-12)
