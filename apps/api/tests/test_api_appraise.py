"""Appraisals and explanations of a real model over HTTP."""

import datetime as dt
import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from appraiser_model import Bundle
from appraiser_schema import Appraisal, Explanation, Listing, Problem, example_listing
from appraiser_schema.columns import listing_columns


class TestPredict:
    """POST /predict."""

    def test_price_of_the_model(self, serving: TestClient, bundles: tuple[Bundle, Bundle]) -> None:
        """The price and its interval are those of the champion, bit for bit."""
        answer = Appraisal.model_validate_json(serving.post("/predict", json=example_listing()).content)
        columns = listing_columns([Listing.model_validate(example_listing())])
        appraised = bundles[0].model.appraise(columns)
        assert answer.price_usd == appraised.price_usd[0]
        assert answer.interval is not None
        assert answer.interval.lower_usd == appraised.lower_usd[0]
        assert answer.interval.upper_usd == appraised.upper_usd[0]
        assert answer.interval.coverage == 0.9

    def test_names_its_model(self, serving: TestClient) -> None:
        """The answer says which version gave it, on what data it was trained, and under which id it is on record.

        That is the service's own id, for two requests may come with the same one.
        """
        response = serving.post("/predict", json=example_listing(), headers={"X-Request-ID": "house-1"})
        answer = Appraisal.model_validate_json(response.content)
        assert (answer.model.name, answer.model.version, answer.model.simulated_data) == ("house-price", 1, True)
        assert response.headers["x-request-id"] == "house-1"
        assert re.fullmatch("[0-9a-f]{32}", answer.request_id)
        plain = serving.post("/predict", json=example_listing())
        assert plain.json()["request_id"] == plain.headers["x-request-id"] != answer.request_id

    def test_only_the_state(self, serving: TestClient) -> None:
        """A house of which only the state is known has a price and a warning."""
        answer = Appraisal.model_validate_json(serving.post("/predict", json={"state": "Texas"}).content)
        assert answer.price_usd > 0
        assert any("living area" in warning for warning in answer.warnings)

    @pytest.mark.parametrize("zip_code", [6016, 6016.0, "06016", "06016-1234"])
    def test_mangled_zip_code(self, serving: TestClient, zip_code: Any) -> None:
        """However a zip code was mangled, it is the same house."""
        listing = example_listing()
        whole = serving.post("/predict", json=listing).json()["price_usd"]
        assert serving.post("/predict", json=listing | {"zip_code": zip_code}).json()["price_usd"] == whole

    def test_no_clock(self, serving: TestClient) -> None:
        """A house sold today has the price of one sold on the last day of the training data, and keeps it."""
        listing = example_listing() | {"prev_sold_date": str(dt.datetime.now(dt.UTC).date())}
        first, second = (serving.post("/predict", json=listing).json()["price_usd"] for _ in range(2))
        assert first == second

    def test_without_a_model(self, client: TestClient) -> None:
        """Until a model is loaded: 503, what is missing, and when to ask again."""
        response = client.post("/predict", json=example_listing())
        problem = Problem.model_validate_json(response.content)
        assert (response.status_code, problem.type) == (503, "urn:appraiser:problem:no-champion")
        assert int(response.headers["retry-after"]) >= 1


class TestExplain:
    """POST /explain."""

    def test_sums_up(self, serving: TestClient) -> None:
        """Base and effects sum up to the price, and the price is that of /predict."""
        explanation = Explanation.model_validate_json(serving.post("/explain", json=example_listing()).content)
        total = explanation.base_usd + sum(c.effect_usd for c in explanation.contributions)
        assert total == pytest.approx(explanation.appraisal.price_usd, abs=0.01)
        assert explanation.appraisal.price_usd == serving.post("/predict", json=example_listing()).json()["price_usd"]

    def test_every_field(self, serving: TestClient) -> None:
        """Each field of a listing has its contribution, in words."""
        answer = serving.post("/explain", json=example_listing()).json()
        assert {c["feature"] for c in answer["contributions"]} == set(example_listing())
        assert all(c["text"].endswith(".") for c in answer["contributions"])

    def test_refuses_like_predict(self, serving: TestClient) -> None:
        """The same rules in the same words."""
        bodies = [
            serving.post(path, content=json.dumps({"state": "X"}), headers={"Content-Type": "application/json"})
            for path in ("/predict", "/explain")
        ]
        assert bodies[0].json()["errors"] == bodies[1].json()["errors"]
