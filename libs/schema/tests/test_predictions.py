"""Appraisals as they were answered, and what the houses sold for."""

import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from appraiser_schema import Feedback, Prediction, PredictionKind, example_listing, latest_day

AT = dt.datetime(2026, 11, 25, 1, 30, 0, 123456, tzinfo=dt.UTC)


def a_prediction(**changes: Any) -> Prediction:
    """A single house that was appraised."""
    facts: dict[str, Any] = {
        "request_id": "a" * 32, "at": AT, "listing": example_listing(), "features_fingerprint": "f" * 64,
        "price_usd": 300_000.5, "lower_usd": 250_000.25, "upper_usd": 400_000.75, "model_name": "house-price",
        "model_version": 3, "latency_seconds": 0.00025,
    }  # fmt: skip
    return Prediction(**facts | changes)


def a_feedback(**changes: Any) -> Feedback:
    """What it sold for."""
    facts: dict[str, Any] = {
        "request_id": "a" * 32, "sold_price_usd": 310_000.0, "sold_at": dt.date(2026, 11, 24), "received_at": AT,
    }  # fmt: skip
    return Feedback(**facts | changes)


class TestPrediction:
    """One appraisal on record."""

    def test_round_trip(self) -> None:
        """It comes back equal from JSON, as a single house or as a row of a table."""
        for prediction in (a_prediction(), a_prediction(kind=PredictionKind.BATCH, row=7, lower_usd=None)):
            assert Prediction.model_validate_json(prediction.model_dump_json()) == prediction

    @pytest.mark.parametrize(("field", "value"), [("row", -1), ("request_id", ""), ("at", dt.datetime(2026, 1, 1))])  # noqa: DTZ001
    def test_refused(self, field: str, value: object) -> None:
        """A row before the first, no id, or an instant without a zone names no appraisal."""
        with pytest.raises(ValidationError, match=field):
            a_prediction(**{field: value})


class TestFeedback:
    """What a house sold for."""

    @pytest.mark.parametrize("price", [0, -1, float("nan"), float("inf"), 1e10])
    def test_price(self, price: float) -> None:
        """A house is sold for a finite price above nothing."""
        with pytest.raises(ValidationError, match="sold_price_usd"):
            a_feedback(sold_price_usd=price)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("sold_at", "25.11.2026"), ("sold_at", 0), ("sold_at", "1899-12-31"), ("row", 1.0), ("row", 2**31),
            ("sold_price_usd", "1"), ("sold_price_usd", True), ("note", "a\0b"), ("note", "x" * 1001),
            ("request_id", "a b"), ("request_id", "\0"), ("agent", "Ann"),
        ],
    )  # fmt: skip
    def test_refused(self, field: str, value: object) -> None:
        """Nothing is taken for something else, and nothing is taken that a database could not keep."""
        with pytest.raises(ValidationError, match=field):
            a_feedback(**{field: value})

    def test_future(self) -> None:
        """A sale cannot be reported before the day on which it is made, anywhere on earth."""
        a_feedback(sold_at=dt.date(2026, 11, 25))
        with pytest.raises(ValidationError, match=r"must not be in the future; it is '2026-11-26'"):
            a_feedback(sold_at=dt.date(2026, 11, 26))

    def test_round_trip(self) -> None:
        """It comes back equal from JSON."""
        assert Feedback.model_validate_json(a_feedback().model_dump_json()) == a_feedback()

    def test_latest_day(self) -> None:
        """From 10:00 UTC on it is tomorrow somewhere, whatever the zone of the instant."""
        assert latest_day(dt.datetime(2026, 11, 25, 9, 59, tzinfo=dt.UTC)) == dt.date(2026, 11, 25)
        zone = dt.timezone(dt.timedelta(hours=-8))
        assert latest_day(dt.datetime(2026, 11, 25, 2, 0, tzinfo=zone)) == dt.date(2026, 11, 26)
