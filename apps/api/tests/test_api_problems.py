"""What a person reads who sent something wrong."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from appraiser_schema import Problem


def post(client: TestClient, body: str | bytes, content_type: str | None = "application/json") -> Problem:
    """Send a body to /predict and read the problem that comes back."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = client.post("/predict", content=body, headers=headers)
    assert response.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate_json(response.content)
    assert problem.status == response.status_code
    assert problem.request_id == response.headers["x-request-id"]
    assert "Traceback" not in response.text
    return problem


class TestInvalidListing:
    """A listing that breaks a rule: 422, with field, rule and value."""

    @pytest.mark.parametrize(
        ("body", "field", "rule", "value"),
        [
            ('{"state":"Texas","bed":-1}', "bed", "must be at least 0 rooms", -1),
            ('{"state":"Texas","house_size":1e6}', "house_size", "must be at most 50,000 sqft", 1e6),
            ('{"state":"Texas","bed":"four"}', "bed", "must be a number, without quotes", "four"),
            ('{"state":"Texas","bed":NaN}', "bed", "must be a finite number", "NaN"),
            ('{"state":"Texas","bath":1e999}', "bath", "must be a finite number", "Infinity"),
            ('{"state":"Texas","bath":-Infinity}', "bath", "must be a finite number", "-Infinity"),
            ('{"state":"Texas","bed":[1]}', "bed", "must be a number", "[1]"),
            ('{"state":"Texass"}', "state", "must be the full English name of a US state", "Texass"),
            ('{"state":"Texass"}', "state", "Did you mean 'Texas'?", "Texass"),
            ('{"state":"ct"}', "state", "Did you mean 'Connecticut'?", "ct"),
            ('{"state":null}', "state", "must be the full English name", None),
            ("{}", "state", "must be given", None),
            ('{"state":"Texas","beds":3}', "beds", "is no field of a listing", 3),
            ('{"state":"Texas","beds":3}', "beds", "Did you mean 'bed'?", 3),
            ('{"state":"Texas","price":1}', "price", "is no field of a listing", 1),
            ('{"state":"Texas","zip_code":"123"}', "zip_code", "five digits", "123"),
            ('{"state":"Texas","zip_code":NaN}', "zip_code", "five digits", "NaN"),
            ('{"state":"Texas","status":"gone"}', "status", "must be 'for_sale', 'sold' or 'ready_to_build'", "gone"),
            ('{"state":"Texas","prev_sold_date":"01/02/2020"}', "prev_sold_date", "YYYY-MM-DD", "01/02/2020"),
            ('{"state":"Texas","prev_sold_date":"2200-01-01"}', "prev_sold_date", "at most 2099-12-31", "2200-01-01"),
            ('{"state":"Texas","city":7}', "city", "must be text", 7),
            ("[]", "body", "must be a JSON object", "[]"),
            ("null", "body", "must be a JSON object", None),
            ("", "body", "must be a JSON object", None),
        ],
    )
    def test_named(self, client: TestClient, body: str, field: str, rule: str, value: Any) -> None:
        """The field, the rule in words and the value as it came."""
        problem = post(client, body)
        assert problem.status == 422
        assert problem.errors[0].field == field
        assert rule in problem.errors[0].rule
        assert problem.errors[0].value == value
        assert problem.detail.startswith(field[0].upper())

    def test_all_at_once(self, client: TestClient) -> None:
        """Every broken rule is named, not only the first."""
        problem = post(client, '{"state":"Texass","bed":-1,"colour":"blue"}')
        assert {error.field for error in problem.errors} == {"state", "bed", "colour"}
        assert "2 more" in problem.detail

    @pytest.mark.parametrize("digits", [30, 400])
    def test_endless_number(self, client: TestClient, digits: int) -> None:
        """A number of many digits is refused, not computed with."""
        for field in ("bed", "zip_code"):
            problem = post(client, f'{{"state":"Texas","{field}":{"9" * digits}}}')
            assert problem.errors[0].field == field
            assert problem.errors[0].value.startswith("9" * 30)

    def test_long_value_is_cut(self, client: TestClient) -> None:
        """An answer does not repeat pages of what was sent."""
        problem = post(client, f'{{"state":"{"x" * 100_000}"}}')
        assert len(problem.errors[0].value) == 201


class TestBody:
    """A body that is no listing at all."""

    @pytest.mark.parametrize(
        "body", ['{"state":"Texas"', "{'state':'Texas'}", '{"state":"\\ud800"}', "[" * 5000, b"\xff"]
    )
    def test_no_json(self, client: TestClient, body: str | bytes) -> None:
        """What the parser met, where, and how the body begins."""
        problem = post(client, body)
        assert (problem.status, problem.type) == (422, "urn:appraiser:problem:malformed-json")
        assert problem.errors[0].field == "body"
        assert "line 1 column" in problem.errors[0].rule

    def test_number_without_end(self, client: TestClient) -> None:
        """A number that no number type can hold is refused as JSON."""
        assert post(client, f'{{"state":"Texas","bed":{"1" * 5000}}}').status == 422

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", None, "x"])
    def test_wrong_type(self, client: TestClient, content_type: str | None) -> None:
        """A body that is not declared as JSON is not guessed at."""
        problem = post(client, '{"state":"Texas"}', content_type)
        assert problem.status == 415
        assert problem.errors[0].field == "Content-Type"
        assert "application/json" in problem.detail

    def test_charset(self, client: TestClient) -> None:
        """JSON with a charset is JSON."""
        assert post(client, '{"bed":1}', "application/json; charset=utf-8").status == 422

    def test_too_large(self, client: TestClient) -> None:
        """More than a mebibyte is refused, declared or not."""
        assert post(client, b" " * (1024 * 1024 + 1)).status == 413
        chunks = (b" " * 65_536 for _ in range(17))
        response = client.post("/predict", content=chunks, headers={"Content-Type": "application/json"})
        assert response.status_code == 413

    def test_just_fits(self, client: TestClient) -> None:
        """A mebibyte of blanks is an empty body, not one too large."""
        assert post(client, b" " * (1024 * 1024)).status == 422


class TestAddresses:
    """What leads nowhere."""

    def test_unknown_address(self, client: TestClient) -> None:
        """404 as a problem document that says where to look."""
        response = client.get("/nothing")
        problem = Problem.model_validate_json(response.content)
        assert (problem.status, problem.instance) == (404, "/nothing")
        assert "/docs" in problem.detail

    def test_wrong_method(self, client: TestClient) -> None:
        """405 names the methods that there are."""
        response = client.get("/predict")
        assert response.status_code == 405
        assert response.headers["allow"] == "POST"
        assert response.headers["content-type"] == "application/problem+json"

    def test_odd_version(self, client: TestClient) -> None:
        """A version that is no number is named as one."""
        problem = Problem.model_validate_json(client.get("/models/latest").content)
        assert (problem.status, problem.errors[0].field) == (422, "version")
        assert problem.errors[0].rule == "must be a whole number"

    def test_own_fault(self, faulty_client: TestClient) -> None:
        """A fault of the service is a 500 with the request id, and nothing of its code."""
        response = faulty_client.get("/fault", headers={"X-Request-ID": "abc-1"})
        problem = Problem.model_validate_json(response.content)
        assert (response.status_code, problem.request_id) == (500, "abc-1")
        assert "secret" not in response.text
