"""Fitting chunk by chunk: nothing depends on where a chunk ends, nor on how texts are given."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from appraiser_features import FEATURES, ColumnsError, FeatureEncoder, FeatureFit, ListingRows, Spill, TrainingError
from appraiser_features.fitting import Tallying
from appraiser_schema.columns import Coded

type Market = tuple[dict[str, Any], NDArray[np.float64], NDArray[np.int64]]


def part(columns: dict[str, Any], start: int, stop: int) -> dict[str, Any]:
    """Some rows."""
    return {name: values[start:stop] for name, values in columns.items()}


def coded(columns: dict[str, Any]) -> dict[str, Any]:
    """The same columns, their texts coded, each in another order of its values."""

    def code(texts: list[str | None]) -> Coded:
        values = sorted(set(texts), key=str, reverse=True)
        return Coded(values, np.array([values.index(text) for text in texts], dtype=np.int64))

    return {name: code(values) if isinstance(values, list) else values for name, values in columns.items()}


class TestChunks:
    """Where chunks end."""

    @pytest.mark.parametrize("size", [1, 13, 100])
    def test_size(self, market: Market, size: int) -> None:
        """The encoder and the features are the same, bit for bit, whatever the size of the chunks."""
        columns, prices, folds = market
        encoder, matrix = FeatureEncoder.fit(columns, prices, folds)
        fit = FeatureFit()
        for start in range(0, len(prices), size):
            stop = start + size
            chunk = part(columns, start, stop)
            fit.add(coded(chunk) if start % 2 else chunk, prices[start:stop], folds[start:stop])
        other, rows = fit.finish()
        assert other.to_json() == encoder.to_json()
        assert rows.read(0, len(rows)).tobytes() == matrix.tobytes()
        assert rows.read(50, 60).tobytes() == matrix[50:60].tobytes()

    @pytest.mark.parametrize("size", [1, 13, 1000])
    def test_sums(self, size: int) -> None:
        """Not even the last bit of a sum depends on the size, where tables of places are rounded."""
        rng = np.random.default_rng(3)
        site, fold, statistics = rng.integers(0, 4, 5000), rng.integers(0, 3, 5000), rng.normal(12, 1, (5000, 3))
        statistics[rng.random((5000, 3)) < 0.2] = np.nan
        whole, tallying = Tallying(), Tallying()
        whole.add(site, fold, statistics)
        for start in range(0, 5000, size):
            rows = slice(start, start + size)
            tallying.add(site[rows], fold[rows], statistics[rows])
        sites = [("Texas", f"Town {i}", None) for i in range(4)]
        found, expected = tallying.tally(sites), whole.tally(sites)
        assert found.sums.tobytes() == expected.sums.tobytes()
        assert found.rows.sum() == 5000
        assert found.counts.sum() == np.isfinite(statistics).sum()

    def test_transform(self, market: Market, encoder: FeatureEncoder) -> None:
        """Coded texts and listings on disk give the features that lists of texts give, bit for bit."""
        columns = market[0]
        columns = {
            **columns,
            "city": [None, *columns["city"][1:]],
            "zip_code": ["99999", None, *columns["zip_code"][2:]],
        }
        expected = encoder.transform(columns).tobytes()
        rows = ListingRows()
        rows.add(columns)
        assert encoder.transform(coded(columns)).tobytes() == expected
        assert encoder.encode(rows).read(0, len(rows)).tobytes() == expected

    def test_unknown(self, market: Market, encoder: FeatureEncoder) -> None:
        """Numbers can be taken for unknown when rows are read."""
        rows = ListingRows()
        rows.add(market[0])
        gaps = np.zeros((5, len(rows)), dtype=bool)
        gaps[3] = True
        expected = encoder.transform({**market[0], "house_size": np.full(len(rows), np.nan)})
        assert encoder.encode(rows).read(0, len(rows), gaps).tobytes() == expected.tobytes()


class TestRefused:
    """What cannot be learned from."""

    @pytest.mark.parametrize("fold", [-1, 256, 0.5])
    def test_folds(self, market: Market, fold: float) -> None:
        """A fold outside of its range is refused."""
        with pytest.raises(TrainingError, match="from 0 to 255"):
            FeatureFit().add(market[0], market[1], np.full(len(market[1]), fold))

    def test_columns(self, market: Market) -> None:
        """Columns that are no listings are refused, and nothing of them is kept."""
        fit = FeatureFit()
        with pytest.raises(ColumnsError, match="'city'"):
            fit.add({**market[0], "city": ["Boston"]}, market[1], market[2])
        assert len(fit.rows) == 0

    def test_nothing(self) -> None:
        """So is nothing."""
        with pytest.raises(TrainingError, match="no listings"):
            FeatureFit().finish()


class TestSpill:
    """Columns on disk."""

    def test_slices(self) -> None:
        """Slices come back as they were written, also beyond the end."""
        spill = Spill({"a": np.float64, "b": np.uint8})
        for start in range(0, 10, 3):
            values = np.arange(start, min(start + 3, 10))
            spill.append(a=values, b=values)
        assert spill.rows == 10
        assert spill.read("a", 2, 7).tolist() == [2.0, 3.0, 4.0, 5.0, 6.0]
        assert spill.read("b", 8, 20).tolist() == [8, 9]
        assert spill.read("b", 20, 30).tolist() == []

    def test_lengths(self) -> None:
        """Columns of different lengths are refused, and nothing is written."""
        spill = Spill({"a": np.float64, "b": np.uint8})
        with pytest.raises(ValueError, match="different lengths"):
            spill.append(a=[1.0], b=[1, 2])
        assert spill.read("a").tolist() == []

    def test_no_files(self, tmp_path: Any) -> None:
        """The files have no names: nothing is left behind, whatever ends the process."""
        spill = Spill({"a": np.float64}, tmp_path)
        spill.append(a=np.ones(1000))
        assert list(tmp_path.iterdir()) == []
        spill.close()


class TestDeclaration:
    """What is said of the features."""

    def test_documented(self, encoder: FeatureEncoder) -> None:
        """Each has a label, a meaning and a source that says why it is here; numbers of a kind have a unit."""
        assert tuple(feature.name for feature in FEATURES) == encoder.names
        for feature in FEATURES:
            assert feature.label, feature.name
            assert feature.description.endswith("."), feature.name
            assert feature.source.endswith("."), feature.name
        without_unit = {feature.name for feature in FEATURES if not feature.unit}
        assert without_unit == {"bath_per_bed", "lot_per_house", "status"}
