"""Appraisals and explanations: one path, one sum."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraiser_features import ColumnsError
from appraiser_model import Appraised, ValuationModel
from appraiser_model.engine import ROWS_PER_CALL, predict_margin, read_booster
from appraiser_model.valuation import logarithmic_mean
from appraiser_schema.frames import to_columns

if TYPE_CHECKING:
    from conftest import Market

NUMBERS = st.one_of(st.just(np.nan), st.sampled_from([0.0, 1.0, 3.0, 1e300]), st.floats(0, 50_000))
HOUSES = st.lists(
    st.fixed_dictionaries(
        {
            **dict.fromkeys(("bed", "bath", "acre_lot", "house_size", "prev_sold_date"), NUMBERS),
            "status": st.sampled_from(["for_sale", "sold", "ready_to_build"]),
            "state": st.sampled_from(["Texas", "Connecticut", "Guam"]),
            "city": st.sampled_from(["Houston", "Hartford", "Nowhere", None]),
            "zip_code": st.sampled_from(["77002", "06016", "06001", "99999", None]),
        }
    ),
    min_size=1,
    max_size=30,
)


def columns_of(houses: list[dict[str, Any]]) -> dict[str, Any]:
    """Columns of houses."""
    texts = ("status", "state", "city", "zip_code")
    columns = {name: [house[name] for house in houses] for name in houses[0]}
    return {name: values if name in texts else np.array(values) for name, values in columns.items()}


def bits(appraised: Appraised, row: slice) -> bytes:
    """The bits of some appraisals."""
    return b"".join(values[row].tobytes() for values in (appraised.price_usd, appraised.lower_usd, appraised.upper_usd))


class TestAppraise:
    """Prices and intervals."""

    @settings(deadline=None, max_examples=30)
    @given(houses=HOUSES)
    def test_row_by_row(self, model: ValuationModel, houses: list[dict[str, Any]]) -> None:
        """House i of n has the bits that it has on its own."""
        together = model.appraise(columns_of(houses))
        for i, house in enumerate(houses):
            assert bits(model.appraise(columns_of([house])), slice(None)) == bits(together, slice(i, i + 1))

    def test_large_table(self, model: ValuationModel, market: "Market") -> None:
        """So it has in a table that is shared out among threads."""
        columns = to_columns(market.test)
        times = 3 * ROWS_PER_CALL // market.test.height
        many = {n: np.tile(v, times) if isinstance(v, np.ndarray) else v * times for n, v in columns.items()}
        alone, together = model.appraise(columns), model.appraise(many)
        assert len(together.price_usd) > 2 * ROWS_PER_CALL
        assert together.price_usd.tobytes() == alone.price_usd.tobytes() * times
        assert together.upper_usd.tobytes() == alone.upper_usd.tobytes() * times

    def test_order(self, model: ValuationModel, market: "Market") -> None:
        """The price lies inside its interval, and all three are above 0."""
        appraised = model.appraise(to_columns(market.test))
        assert (appraised.lower_usd > 0).all()
        assert (appraised.lower_usd < appraised.price_usd).all()
        assert (appraised.price_usd < appraised.upper_usd).all()

    def test_precision(self, model: ValuationModel, market: "Market") -> None:
        """Trees added up in double precision give the same price to a millionth: their sums are around zero."""
        columns = to_columns(market.test)
        matrix = model.encoder.transform(columns)
        single = [predict_margin(model.booster[i : i + 1], matrix) for i in range(model.rounds)]
        exact = np.exp(np.sum(single, axis=0) + model.centre_log)
        assert np.abs(model.appraise(columns).price_usd / exact - 1).max() < 1e-6

    def test_none(self, model: ValuationModel, market: "Market") -> None:
        """No houses have no prices and no effects."""
        nothing = to_columns(market.test[:0])
        assert model.appraise(nothing).price_usd.shape == (0,)
        assert model.explain(nothing).effect_usd.shape == (0, len(model.encoder.names))

    def test_not_listings(self, model: ValuationModel) -> None:
        """Columns of something else are refused by name."""
        with pytest.raises(ColumnsError, match="'bed' is missing"):
            model.appraise({})

    def test_xgboost(self, model: ValuationModel, market: "Market") -> None:
        """The short way into the library gives what XGBoost's own prediction gives."""
        matrix = model.encoder.transform(to_columns(market.test))
        assert (predict_margin(model.booster, matrix) == model.booster.inplace_predict(matrix)).all()

    @pytest.mark.parametrize("spoil", [lambda m: m[:, 1:], lambda m: m.astype(np.float64), lambda m: m[:, ::-1]])
    def test_other_matrix(self, model: ValuationModel, market: "Market", spoil: Callable[[Any], Any]) -> None:
        """A matrix that the library would misread is refused."""
        with pytest.raises(ValueError, match="float32, row by row"):
            predict_margin(model.booster, spoil(model.encoder.transform(to_columns(market.test))))


class TestExplain:
    """Contributions."""

    @settings(deadline=None, max_examples=30)
    @given(houses=HOUSES)
    def test_sum(self, model: ValuationModel, houses: list[dict[str, Any]]) -> None:
        """Base and effects sum up to the price, to a billionth."""
        columns = columns_of(houses)
        explained, price = model.explain(columns), model.appraise(columns).price_usd
        np.testing.assert_allclose(explained.base_usd + explained.effect_usd.sum(axis=1), price, rtol=1e-9)
        np.testing.assert_allclose(
            np.log(explained.base_usd) + explained.effect_log.sum(axis=1), np.log(price), rtol=1e-12
        )

    def test_sign(self, model: ValuationModel, market: "Market") -> None:
        """An effect in dollars has the sign of the effect on the logarithm."""
        explained = model.explain(to_columns(market.test))
        assert (np.sign(explained.effect_usd) == np.sign(explained.effect_log)).all()

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of shap's and its dependencies' own making
    @pytest.mark.filterwarnings("ignore::FutureWarning")
    def test_shap(self, model: ValuationModel, market: "Market") -> None:
        """The effects are those that the shap package finds."""
        shap = pytest.importorskip("shap")
        matrix = model.encoder.transform(to_columns(market.test[:50]))
        expected = shap.TreeExplainer(model.booster)(matrix)
        explained = model.explain(to_columns(market.test[:50]))
        np.testing.assert_allclose(explained.effect_log, expected.values, atol=1e-4)
        np.testing.assert_allclose(np.log(explained.base_usd), model.centre_log + expected.base_values, atol=1e-4)

    def test_threads(self, model: ValuationModel, market: "Market") -> None:
        """Several threads may use one model at once."""
        columns = [to_columns(market.test[i : i + 1]) for i in range(40)]
        alone = [model.explain(column).effect_usd.tobytes() for column in columns]
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda column: model.explain(column).effect_usd.tobytes(), columns * 3))
        assert together == alone * 3


class TestLogarithmicMean:
    """The factor from logarithms to dollars."""

    @given(st.floats(1e4, 5e6), st.floats(1e4, 5e6))
    def test_between(self, price: float, base: float) -> None:
        """It lies between price and base."""
        mean = logarithmic_mean(np.array([price]), base)[0]
        assert min(price, base) * (1 - 1e-9) <= mean <= max(price, base) * (1 + 1e-9)

    def test_equal(self) -> None:
        """It is the price where the two are equal."""
        assert logarithmic_mean(np.array([3e5]), 3e5).tolist() == [3e5]


class TestTrees:
    """The file of the trees."""

    @pytest.mark.parametrize("content", [b"", b"{}", b"{L", b"\x00" * 100])
    def test_no_model(self, content: bytes) -> None:
        """Bytes that are no model are refused."""
        with pytest.raises(ValueError, match="no XGBoost model"):
            read_booster(content)
