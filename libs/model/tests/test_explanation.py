"""Explanations and warnings in words."""

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from appraiser_features import FEATURES
from appraiser_model import ValuationModel, explanation_of, warnings_for
from appraiser_model.explanation import describe
from appraiser_schema import LISTING_COLUMNS, Listing, Status
from appraiser_schema.columns import listing_columns

if TYPE_CHECKING:
    from conftest import Market

HARTFORD: dict[str, Any] = {
    "state": "Connecticut",
    "city": "Hartford",
    "zip_code": "06103",
    "bed": 3.0,
    "bath": 2.0,
    "acre_lot": 0.4,
    "house_size": 2000.0,
    "prev_sold_date": dt.date(2010, 5, 1),
}


class TestExplanationOf:
    """Contributions by field."""

    def test_sum(self, model: ValuationModel) -> None:
        """Base and contributions sum up to the price, in dollars and in logarithms."""
        houses = [Listing(**HARTFORD), Listing(state="Texas"), Listing(**HARTFORD | {"status": Status.SOLD})]
        columns = listing_columns(houses)
        price, explained = model.appraise(columns).price_usd, model.explain(columns)
        for row, house in enumerate(houses):
            base, contributions = explanation_of(model.encoder, house, explained, row)
            assert base + sum(c.effect_usd for c in contributions) == pytest.approx(price[row], rel=1e-9)
            assert np.log(base) + sum(c.effect_log for c in contributions) == pytest.approx(np.log(price[row]))

    def test_fields(self, model: ValuationModel) -> None:
        """Each field of a listing has one contribution, the largest first, with its words and its group."""
        house = Listing(**HARTFORD)
        _, contributions = explanation_of(model.encoder, house, model.explain(listing_columns([house])))
        assert {c.feature for c in contributions} == set(LISTING_COLUMNS)
        sizes = [abs(c.effect_usd) for c in contributions]
        assert sizes == sorted(sizes, reverse=True)
        by_name = {c.feature: c for c in contributions}
        assert (by_name["zip_code"].label, by_name["zip_code"].group) == ("Zip code", "place")
        assert (by_name["zip_code"].value, by_name["zip_code"].typical) == ("06103", model.encoder.typical["zip_code"])
        assert by_name["prev_sold_date"].value == "2010-05-01"
        assert by_name["house_size"].typical == model.encoder.typical["house_size"]

    def test_every_feature(self) -> None:
        """Every feature speaks of a field that a listing has."""
        assert {feature.listing_field for feature in FEATURES} <= set(LISTING_COLUMNS)


class TestDescribe:
    """One sentence."""

    @pytest.mark.parametrize(
        ("field", "value", "typical", "effect", "text"),
        [
            ("zip_code", "06016", "85001", 41_234.0, "The zip code 06016 adds $41,200 against a typical house."),
            ("city", None, "Boston", -999.6, "Not knowing the city takes off $1,000 against a typical house."),
            (
                "house_size", 1617.0, 1800.5, -12_345.0,
                "The living area of 1,617 sqft takes off $12,300 against a typical house, which has 1,800.5 sqft.",
            ),
            ("bed", 1.0, 3.0, 150.0, "Having 1 bedroom adds $150 against a typical house, which has 3 bedrooms."),
            ("bath", 2.0, 2.0, 1_234_567.0, "Having 2 bathrooms adds $1,230,000 against a typical house."),
            ("acre_lot", 1.0, 0.0, 60.0, "The land of 1 acre adds $60 against a typical house, which has 0 acres."),
            ("status", "for_sale", "sold", 49.0, "Being for sale makes next to no difference."),
            ("state", "Texas", None, 100.0, "The state Texas adds $100 against a typical house."),
            ("prev_sold_date", None, None, 0.0, "Not knowing a last sale makes next to no difference."),
        ],
    )  # fmt: skip
    def test_words(self, field: str, value: Any, typical: Any, effect: float, text: str) -> None:
        """Value, direction, dollars to three digits, and what is typical."""
        assert describe(field, value, typical, effect) == text


class TestWarningsFor:
    """Houses unlike the training listings."""

    def test_usual(self, model: ValuationModel) -> None:
        """Nothing is said of a house like the others."""
        assert warnings_for(model, Listing(**HARTFORD), 300_000.0) == ()

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"state": "Guam"}, "from no listing in Guam"),
            ({"city": None, "zip_code": None}, "Neither zip code nor city"),
            ({"zip_code": "06001"}, "no listing in the zip code 06001"),
            ({"zip_code": None, "city": "Nowhere"}, "no listing in Nowhere"),
            ({"house_size": None}, "living area is unknown"),
            ({"house_size": 30_000.0}, "Living area: 30,000 sqft is outside"),
            ({"bed": 45.0}, "Bedrooms: 45 rooms is outside"),
        ],
    )
    def test_unusual(self, model: ValuationModel, change: dict[str, Any], words: str) -> None:
        """One sentence says what is unusual."""
        (warning,) = warnings_for(model, Listing(**HARTFORD | change))
        assert words in warning

    def test_city_case(self, model: ValuationModel) -> None:
        """A city is known however it is written."""
        assert warnings_for(model, Listing(**HARTFORD | {"zip_code": None, "city": "HARTFORD"})) == ()

    def test_edge(self, model: ValuationModel) -> None:
        """Trees see nothing beyond the prices they learned from; near them it is said."""
        (warning,) = warnings_for(model, Listing(**HARTFORD), model.domain.price_usd[1] * 0.95)
        assert "at the edge of the prices" in warning

    def test_span(self, model: ValuationModel, market: "Market") -> None:
        """The span of a number is that of nearly all training listings."""
        low, high = model.domain.spans["house_size"]
        sizes = market.train["house_size"].drop_nulls()
        assert sizes.min() <= low < high <= sizes.max()  # type: ignore[operator]
