"""The population stability index."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from appraiser_model import inputs
from appraiser_pipeline.drift import shift


def population_stability(before: pl.Series, after: pl.Series) -> float:
    """The index alone."""
    return shift(before, after).index


class TestIndex:
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


class TestChance:
    """How far a sample seems to have moved where nothing has changed."""

    def test_few(self) -> None:
        """Twelve rows of the same market seldom exceed the level of chance, and mostly the usual threshold."""
        rng = np.random.default_rng(4)
        before = pl.Series(rng.normal(size=2_000))
        found = [shift(before, pl.Series(rng.normal(size=12))) for _ in range(100)]
        assert sum(moved.index > 0.2 for moved in found) > 90
        assert sum(moved.index > moved.by_chance for moved in found) <= 5

    def test_many(self) -> None:
        """Among many rows chance moves next to nothing."""
        rng = np.random.default_rng(5)
        moved = shift(pl.Series(rng.normal(size=20_000)), pl.Series(rng.normal(size=20_000)))
        assert moved.by_chance < 0.01

    def test_few_of_another_market(self) -> None:
        """Forty rows of another market exceed it."""
        rng = np.random.default_rng(6)
        moved = shift(pl.Series(rng.normal(size=2_000)), pl.Series(rng.normal(3, size=40)))
        assert moved.index > moved.by_chance

    def test_seed(self) -> None:
        """The same seed gives the same level."""
        before, after = pl.Series(["a", "b"] * 50), pl.Series(["a"] * 25 + ["b"] * 75)
        assert shift(before, after, 3) == shift(before, after, 3)


class TestOneDefinition:
    """Pipeline and service measure the same."""

    def test_service(self) -> None:
        """What the service tells of listings that it counted is what the pipeline measures of their column."""
        rng = np.random.default_rng(7)
        before = pl.DataFrame({name: rng.normal(size=500) for name in inputs.NUMBERS}).with_columns(
            pl.Series(name, rng.choice(["a", "b", "c"], 500)) for name in inputs.CATEGORIES
        )
        after = before.with_columns(house_size=pl.col("house_size") + 0.5, bed=None).cast({"bed": pl.Float64})
        kept = inputs.Inputs.of(before)
        rows = [SimpleNamespace(**row) for row in after.to_dicts()]
        told = kept.drift(kept.count(rows))
        assert told == {name: pytest.approx(shift(before[name], after[name]).index) for name in told}
        assert told["house_size"] > 0.1
