"""Percentile intervals of the bootstrap."""

import numpy as np
import pytest

from appraiser_model import ModelError
from appraiser_model.bootstrap import mean_difference, median_interval


def errors(rows: int, seed: int = 1) -> np.ndarray:
    """Absolute errors as they are: many small, few large."""
    return np.random.default_rng(seed).exponential(100.0, rows)


class TestMedianInterval:
    """The interval of a median, that no resample is drawn for."""

    @pytest.mark.parametrize("rows", [12, 101, 1000])
    def test_resampling(self, rows: int) -> None:
        """It is that of medians of resamples, for even and odd numbers of rows, but for what a thousand draws vary."""
        values, rng = errors(rows), np.random.default_rng(2)
        medians = np.median(values[rng.integers(0, rows, (20_000, rows))], axis=1)
        low, high = median_interval(values, seed=3)
        share = [(medians < bound).mean() for bound in (low, high)]
        assert share == pytest.approx([0.025, 0.975], abs=0.02)

    def test_narrows(self) -> None:
        """More rows make it narrower; it holds the median."""
        few, many = errors(50), errors(5_000)
        widths = [high - low for low, high in (median_interval(few, 1), median_interval(many, 1))]
        assert widths[1] < widths[0] / 5
        low, high = median_interval(many, 1)
        assert low < np.median(many) < high

    def test_seed(self) -> None:
        """The same seed gives the same interval, in any order of the values."""
        values = errors(99)
        assert median_interval(values, 4) == median_interval(values[::-1], 4)
        assert median_interval(values, 4) != median_interval(values, 5)

    def test_one_value(self) -> None:
        """One value is all that can be drawn."""
        assert median_interval([7.0], 1) == (7.0, 7.0)

    def test_none(self) -> None:
        """Of nothing there is no interval."""
        with pytest.raises(ModelError, match="give one row at least"):
            median_interval([], 1)


class TestMeanDifference:
    """Two models on the same rows."""

    def test_resampling(self) -> None:
        """It is the interval of resampled differences and shares."""
        ours = errors(200)
        theirs = ours * np.random.default_rng(5).uniform(0.9, 1.3, 200)
        drawn = np.random.default_rng(6).integers(0, 200, (20_000, 200))
        difference = ours[drawn].mean(axis=1) - theirs[drawn].mean(axis=1)
        share = ours[drawn].sum(axis=1) / theirs[drawn].sum(axis=1) - 1
        found = mean_difference(ours, theirs, seed=7)
        assert found.usd == pytest.approx(np.quantile(difference, [0.025, 0.975]), abs=0.35 * difference.std())
        assert found.share == pytest.approx(np.quantile(share, [0.025, 0.975]), abs=0.35 * share.std())

    def test_paired(self) -> None:
        """Rows that are hard for both models do not blur their difference."""
        theirs = errors(500)
        low, high = mean_difference(theirs * 0.95, theirs, seed=1).share
        assert low == pytest.approx(-0.05)
        assert high == pytest.approx(-0.05)

    def test_no_difference(self) -> None:
        """Where the better one is a matter of chance, the interval holds 0."""
        low, high = mean_difference(errors(300, 1), errors(300, 2), seed=1).usd
        assert low < 0 < high

    def test_seed(self) -> None:
        """The same seed gives the same interval."""
        pair = errors(80, 1), errors(80, 2)
        assert mean_difference(*pair, seed=4) == mean_difference(*pair, seed=4)

    def test_perfect(self) -> None:
        """Two models without an error do not differ."""
        found = mean_difference(np.zeros(10), np.zeros(10), seed=1)
        assert (found.usd, found.share) == ((0, 0), (0, 0))

    def test_other_rows(self) -> None:
        """Errors of other rows cannot be paired."""
        with pytest.raises(ModelError, match="cannot be paired"):
            mean_difference(errors(3), errors(4), seed=1)
