"""The encoder: one code path, nothing leaks, nothing is lost on the way to the file and back."""

import ast
import json
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from appraiser_features import (
    CODE_FINGERPRINT,
    EncoderError,
    FeatureConfig,
    FeatureEncoder,
    FingerprintError,
    TrainingError,
)

type Market = tuple[dict[str, Any], NDArray[np.float64], NDArray[np.int64]]

NUMBERS = st.one_of(
    st.just(np.nan),
    st.sampled_from([0.0, -0.0, 1.0, 3.0, 5e-324, 1e-200, 1e300]),
    st.floats(allow_nan=True, allow_infinity=False),
    st.floats(0, 10_000),
)
LISTINGS = st.lists(
    st.fixed_dictionaries(
        {
            **dict.fromkeys(("bed", "bath", "acre_lot", "house_size", "prev_sold_date"), NUMBERS),
            "status": st.sampled_from(["for_sale", "sold", "ready_to_build", "under_water", None]),
            "state": st.sampled_from(["Texas", "Connecticut", "Guam", "", None]),
            "city": st.sampled_from(["Houston", "HOUSTON", "Nowhere", "", None]),
            "zip_code": st.sampled_from(["77002", "06016", "06001", "00602", "99999", "77", "", None]),
        }
    ),
    min_size=1,
    max_size=40,
)


def columns_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Columns of listings."""
    return {
        name: np.array([row[name] for row in rows]) if name in {"bed", "bath", "acre_lot", "house_size"}
        or name == "prev_sold_date" else [row[name] for row in rows]
        for name in rows[0]
    }  # fmt: skip


class TestOnePath:
    """A table of listings and a single one go the same way."""

    @given(rows=LISTINGS)
    def test_row_by_row(self, encoder: FeatureEncoder, rows: list[dict[str, Any]]) -> None:
        """Row i of n has the bits that it has on its own, whatever the numbers are."""
        together = encoder.transform(columns_of(rows))
        for i, row in enumerate(rows):
            assert encoder.transform(columns_of([row])).tobytes() == together[i].tobytes()

    @given(rows=LISTINGS)
    def test_never_infinite(self, encoder: FeatureEncoder, rows: list[dict[str, Any]]) -> None:
        """XGBoost refuses infinity; a ratio that is too large is unknown."""
        assert not np.isinf(encoder.transform(columns_of(rows))).any()

    def test_expected(self, encoder: FeatureEncoder, market: Market) -> None:
        """What the living area would cost in its place is the product of two other features, unknown with either."""
        matrix = encoder.transform(market[0])
        column = dict(zip(encoder.names, matrix.T, strict=True))
        for where in ("nearby", "in_zip", "in_city"):
            product = column["house_size"] * column[f"price_per_sqft_{where}"]
            assert np.array_equal(column[f"size_value_{where}"], product, equal_nan=True)
            assert np.isfinite(product).any()

    def test_shape(self, encoder: FeatureEncoder, market: Market) -> None:
        """The matrix is float32, a row after the other, a column per name."""
        matrix = encoder.transform(market[0])
        assert (matrix.dtype, matrix.shape) == (np.float32, (210, len(encoder.names)))
        assert matrix.flags.c_contiguous

    def test_no_listings(self, encoder: FeatureEncoder) -> None:
        """No listings give no rows."""
        nothing = {name: np.array([]) for name in ("bed", "bath", "acre_lot", "house_size", "prev_sold_date")}
        texts: dict[str, Any] = {name: [] for name in ("status", "state", "city", "zip_code")}
        assert encoder.transform(nothing | texts).shape == (0, len(encoder.names))

    def test_large_table(self, encoder: FeatureEncoder, market: Market) -> None:
        """Rows have the same bits where numpy takes its vectorised loops, whatever their alignment."""
        many = {n: np.tile(v, 50) if isinstance(v, np.ndarray) else v * 50 for n, v in market[0].items()}
        assert encoder.transform(many).tobytes() == encoder.transform(market[0]).tobytes() * 50

    @pytest.mark.parametrize("places", [999, 1000, 1001, 2000])
    def test_many_places(self, encoder: FeatureEncoder, market: Market, places: int) -> None:
        """However many different places are looked up, each house has the features that it has alone."""
        ends = {name: values[-3:] for name, values in market[0].items()}
        others = ((name, values[:1]) for name, values in market[0].items())
        many = {n: np.repeat(v, places - 3) if isinstance(v, np.ndarray) else v * (places - 3) for n, v in others}
        many |= {name: [f"{row:05}" for row in range(places - 3)] for name in ("city", "zip_code")}
        table = {n: np.concatenate([many[n], v]) if isinstance(v, np.ndarray) else many[n] + v for n, v in ends.items()}
        np.testing.assert_array_equal(encoder.transform(table)[-3:], encoder.transform(ends))


class TestOutOfFold:
    """The price of a training listing does not reach its own features."""

    @settings(max_examples=10)
    @given(row=st.integers(0, 209), factor=st.floats(0.01, 100))
    def test_own_price(self, market: Market, row: int, factor: float) -> None:
        """Another price of one listing leaves the features of its whole fold as they were."""
        columns, prices, folds = market
        changed = prices.copy()
        changed[row] *= factor
        before, after = FeatureEncoder.fit(*market)[1], FeatureEncoder.fit(columns, changed, folds)[1]
        same_fold = folds == folds[row]
        assert before[same_fold].tobytes() == after[same_fold].tobytes()

    def test_other_prices(self, market: Market) -> None:
        """The prices of the other folds do reach them: the test above can fail."""
        columns, prices, folds = market
        raised = np.where(folds == 0, prices * 3, prices)
        before, after = FeatureEncoder.fit(*market)[1], FeatureEncoder.fit(columns, raised, folds)[1]
        assert (before[folds != 0] != after[folds != 0]).any()

    def test_measures(self, market: Market) -> None:
        """What does not come from prices is the same in training and in serving."""
        encoder, matrix = FeatureEncoder.fit(*market)
        assert matrix[:, :10].tobytes() == encoder.transform(market[0])[:, :10].tobytes()

    def test_deterministic(self, market: Market) -> None:
        """The same rows give the same encoder and the same matrix."""
        first, second = FeatureEncoder.fit(*market), FeatureEncoder.fit(*market)
        assert first[0].to_json() == second[0].to_json()
        assert first[1].tobytes() == second[1].tobytes()

    def test_config(self, market: Market) -> None:
        """A weight that is set is used and kept."""
        config = FeatureConfig(zip_weight=500)
        encoder = FeatureEncoder.fit(*market, config)[0]
        assert encoder.transform(market[0]).tobytes() != FeatureEncoder.fit(*market)[0].transform(market[0]).tobytes()
        assert FeatureEncoder.from_json(encoder.to_json()).config == config


class TestFit:
    """What cannot be learned from."""

    @pytest.mark.parametrize(
        ("prices", "folds", "words"),
        [
            (np.ones(209), np.arange(210) % 2, "shape"),
            (np.ones(210), np.arange(209) % 2, "shape"),
            (np.zeros(210), np.arange(210) % 2, "above 0"),
            (np.full(210, np.nan), np.arange(210) % 2, "above 0"),
            (np.ones(210), np.zeros(210), "one fold"),
        ],
    )
    def test_refused(self, market: Market, prices: NDArray[Any], folds: NDArray[Any], words: str) -> None:
        """The reason is said."""
        with pytest.raises(TrainingError, match=words):
            FeatureEncoder.fit(market[0], prices, folds)

    def test_nothing_known(self) -> None:
        """Listings of which only the price is known are encoded all the same, and their statistics are unknown."""
        unknown: dict[str, Any] = {n: np.full(4, np.nan) for n in ("bed", "bath", "acre_lot", "house_size")}
        unknown |= {"prev_sold_date": np.full(4, np.nan)}
        unknown |= {name: [None] * 4 for name in ("status", "state", "city", "zip_code")}
        encoder, matrix = FeatureEncoder.fit(unknown, np.full(4, 1000.0), np.array([0, 1, 0, 1]))
        prices = [name.startswith("price_") and "per" not in name for name in encoder.names]
        assert matrix[:, prices].tolist() == [[1000.0] * 4] * 4
        assert np.isnan(matrix[:, np.logical_not(prices)]).all()
        assert FeatureEncoder.from_json(encoder.to_json()).transform(unknown).tobytes() == matrix.tobytes()


class TestFile:
    """The encoder as text."""

    @given(rows=LISTINGS)
    def test_same_bits(self, encoder: FeatureEncoder, reread: FeatureEncoder, rows: list[dict[str, Any]]) -> None:
        """What was written and read gives the same features, bit for bit."""
        assert reread.transform(columns_of(rows)).tobytes() == encoder.transform(columns_of(rows)).tobytes()

    def test_same_text(self, encoder: FeatureEncoder) -> None:
        """Written, read and written again it is the same text, with the same fingerprint."""
        again = FeatureEncoder.from_json(encoder.to_json())
        assert (again.to_json(), again.fingerprint) == (encoder.to_json(), encoder.fingerprint)

    def test_fingerprint(self, market: Market, encoder: FeatureEncoder) -> None:
        """Another market gives another fingerprint."""
        columns, prices, folds = market
        assert FeatureEncoder.fit(columns, prices * 2, folds)[0].fingerprint != encoder.fingerprint

    def test_other_code(self, encoder: FeatureEncoder) -> None:
        """An encoder that other feature code fitted is refused, and the message says what to do."""
        text = encoder.to_json().replace(CODE_FINGERPRINT, "0" * 64)
        with pytest.raises(FingerprintError, match="Train the model again with this version") as caught:
            FeatureEncoder.from_json(text)
        assert (caught.value.found, caught.value.expected) == ("0" * 64, CODE_FINGERPRINT)

    def test_other_names(self, encoder: FeatureEncoder) -> None:
        """So is one with other features."""
        state = json.loads(encoder.to_json())
        state["names"] = state["names"][::-1]
        with pytest.raises(FingerprintError):
            FeatureEncoder.from_json(json.dumps(state))

    @pytest.mark.parametrize("text", ["", "null", "[]", "{}", "1"])
    def test_not_an_encoder(self, text: str) -> None:
        """Any other text is refused by name."""
        with pytest.raises(EncoderError, match="not a fitted feature encoder"):
            FeatureEncoder.from_json(text)

    def test_mutilated(self, encoder: FeatureEncoder) -> None:
        """So is an encoder that lost a part."""
        state = json.loads(encoder.to_json())
        state["places"]["states"]["columns"][0].pop()
        with pytest.raises(EncoderError):
            FeatureEncoder.from_json(json.dumps(state))


class TestClock:
    """The same house has the same features tomorrow."""

    def test_as_of(self, market: Market, encoder: FeatureEncoder) -> None:
        """Years are counted to the latest sale among the training listings."""
        years = encoder.transform(market[0])[:, encoder.names.index("years_since_sale")]
        assert np.nanmin(years) == 0.0
        assert (encoder.as_of.toordinal() - 719_163) == np.nanmax(market[0]["prev_sold_date"])

    def test_no_clock(self) -> None:
        """No module of the library asks what time it is."""
        for module in files("appraiser_features").iterdir():
            if module.name.endswith(".py"):
                for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
                    imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                    asked = getattr(node, "attr", "")
                    assert asked not in {"now", "today", "utcnow"}, module.name
                    assert "time" not in imported, module.name
