"""The population stability index."""

import numpy as np
import polars as pl
import pytest

from appraiser_pipeline.drift import population_stability


class TestPopulationStability:
    """How far a column has moved."""

    def test_same(self) -> None:
        """The same values have not moved."""
        values = pl.Series(np.random.default_rng(1).normal(size=500))
        assert population_stability(values, values) == 0

    def test_formula(self) -> None:
        """Shares of a half and a half that become a quarter and three quarters give .25 ln 3."""
        before = pl.Series(["a", "b"] * 50)
        after = pl.Series(["a"] * 25 + ["b"] * 75)
        assert population_stability(before, after) == pytest.approx(0.25 * np.log(3))

    @pytest.mark.parametrize("rows", [1_000, 100_000])
    def test_rows_do_not_count(self, rows: int) -> None:
        """The same small shift is no drift, however many rows show it."""
        rng = np.random.default_rng(2)
        index = population_stability(pl.Series(rng.normal(size=rows)), pl.Series(rng.normal(0.1, size=rows)))
        assert index < 0.1

    def test_shift(self) -> None:
        """Prices of another band have moved."""
        rng = np.random.default_rng(3)
        before, after = rng.uniform(50_000, 300_000, 900), rng.uniform(300_000, 500_000, 900)
        assert population_stability(pl.Series(before), pl.Series(after)) > 1

    def test_unknown(self) -> None:
        """Values that became unknown have moved."""
        before = pl.Series([1.0, 2.0, 3.0, 4.0] * 25)
        after = pl.Series([1.0, 2.0, None, None] * 25)
        assert population_stability(before, after) > 1

    def test_constant(self) -> None:
        """A column with one value has no bins to move between, until another value comes."""
        ones = pl.Series([1.0] * 10)
        assert population_stability(ones, ones) == 0
        assert population_stability(ones, pl.Series([2.0] * 10)) > 1

    def test_nothing_known(self) -> None:
        """A column of which nothing was known is the same where nothing is known."""
        unknown = pl.Series([None] * 10, dtype=pl.Float64)
        assert population_stability(unknown, unknown) == 0
