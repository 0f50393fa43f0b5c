"""The short way of POST /predict: it answers what the careful way would, or leaves the request to it."""

import asyncio
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running_api import metric
from starlette.testclient import TestClient

from appraiser_api.errors import LogFullError
from appraiser_api.prediction_log import PredictionLog
from appraiser_api.settings import Settings
from appraiser_schema import Appraisal, Problem, example_listing

SHORT = {"Content-Type": "application/json"}
CAREFUL = {"Content-Type": "application/json; charset=utf-8"}

ODD = st.none() | st.booleans() | st.integers(-5, 100_000) | st.floats() | st.text(max_size=6) | st.just([])
FIELDS = {
    "status": st.sampled_from(["sold", "for_sale", "SOLD", 1]),
    "bed": st.integers(0, 60) | ODD,
    "bath": st.floats(0, 50) | ODD,
    "acre_lot": st.floats(0, 10) | ODD,
    "house_size": st.integers(50, 60_000) | ODD,
    "state": st.sampled_from(["Texas", " Texas ", "TX", "Guam", None, 3]),
    "city": st.sampled_from(["Houston", "", " houston"]) | ODD,
    "zip_code": st.sampled_from(["06016", 6016, 6016.0, "06016-1234", "x"]) | ODD,
    "prev_sold_date": st.dates(dt.date(1899, 1, 1), dt.date(2101, 1, 1)).map(str) | ODD,
    "colour": ODD,
}
BODIES = st.fixed_dictionaries({"state": FIELDS["state"]}, optional={k: v for k, v in FIELDS.items() if k != "state"})


def told(response: Any) -> tuple[int, Any, dict[str, str]]:
    """Status, body and headers, but for what differs from one request to the next."""
    body = response.json()
    body.pop("request_id")
    return response.status_code, body, {k: v for k, v in response.headers.items() if k != "x-request-id"}


async def ask_in_pieces(app: FastAPI, pieces: list[bytes]) -> tuple[int, float]:
    """Status and price that a body gets which arrives like this, each piece but the first after a pause."""
    arriving = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    arriving[-1]["more_body"] = False
    answered: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(0.01 if len(arriving) < len(pieces) else 0.0)
        return arriving.pop(0)

    async def send(message: Any) -> None:
        answered.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(b"".join(pieces)))]
    scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": b"", "headers": headers}
    client = {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2), "scheme": "http", "root_path": ""}
    await app(scope | client, receive, send)
    body = b"".join(message["body"] for message in answered if "body" in message)
    return answered[0]["status"], json.loads(body)["price_usd"]


class TestShortWay:
    """Beside the careful way."""

    @settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(body=BODIES)
    def test_same_answer(self, serving: TestClient, body: dict[str, Any]) -> None:
        """Whatever is sent, both give the same status, body and headers, to the letter."""
        content = json.dumps(body)
        short, careful = (serving.post("/predict", content=content, headers=kind) for kind in (SHORT, CAREFUL))
        assert told(short) == told(careful)

    @pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b'{"state":"Texas","state":"Guam"}', b'"\\ud800"'])
    def test_no_listing(self, serving: TestClient, content: bytes) -> None:
        """So they do where the body is no object, or an odd one."""
        short, careful = (serving.post("/predict", content=content, headers=kind) for kind in (SHORT, CAREFUL))
        assert told(short) == told(careful)

    def test_bytes(self, serving: TestClient) -> None:
        """The bytes of an answer are written the same way."""
        short, careful = (serving.post("/predict", json=example_listing(), headers=kind) for kind in (SHORT, CAREFUL))
        assert short.content == Appraisal.model_validate_json(short.content).model_dump_json().encode()
        assert len(short.content) == len(careful.content)

    def test_taken(self, serving: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """A listing that is in order never gets to the router."""
        monkeypatch.setattr("appraiser_api.routes.predict.appraise", lambda *_: pytest.fail("the careful way"))
        assert serving.post("/predict", json=example_listing()).status_code == 200

    def test_in_pieces(self, app: FastAPI, serving: TestClient) -> None:
        """A body that arrives in pieces, with pauses between, is answered as one that was there at once."""
        whole = json.dumps(example_listing()).encode()
        assert serving.portal is not None
        status, price = serving.portal.call(ask_in_pieces, app, [whole])
        assert (status, price) == serving.portal.call(ask_in_pieces, app, [whole[:10], b"", whole[10:]])
        assert status == 200

    @pytest.mark.parametrize("kind", [SHORT, CAREFUL])
    def test_counted_once(self, serving: TestClient, kind: dict[str, str]) -> None:
        """Either way an answer is counted once, under its route and the version that gave it."""
        serving.post("/predict", json=example_listing(), headers=kind)
        text = serving.get("/metrics").text
        assert 'appraiser_requests_total{method="POST",route="/predict",status="200"} 1.0' in text
        assert 'appraiser_request_seconds_count{model_version="1",route="/predict"} 1.0' in text
        assert metric(serving, "appraiser_appraised_price_usd_count") == 1


class TestOnRecord:
    """No answer without a record."""

    @pytest.mark.parametrize("kind", [SHORT, CAREFUL])
    @pytest.mark.parametrize("path", ["/predict", "/explain"])
    def test_before_the_answer(self, serving: TestClient, settings: Settings, kind: dict[str, str], path: str) -> None:
        """The record is there when the answer is, with the id and the price that it gives."""
        answer = serving.post(path, json=example_listing(), headers=kind | {"X-Request-ID": "mine"}).json()
        appraisal = answer.get("appraisal", answer)
        (segment,) = segments(settings.prediction_log)
        content = segment.read_bytes()
        assert content.count(appraisal["request_id"].encode()) == 1
        assert b"mine" in content
        assert b'"zip_code":"06016"' in content

    @pytest.mark.parametrize("kind", [SHORT, CAREFUL])
    @pytest.mark.parametrize("path", ["/predict", "/explain"])
    def test_full(self, serving: TestClient, monkeypatch: pytest.MonkeyPatch, kind: dict[str, str], path: str) -> None:
        """Where nothing can be written nothing is answered: 503, and the price is not told."""

        def fail(*_: object, **__: object) -> None:
            raise LogFullError("No space left on device")

        monkeypatch.setattr(PredictionLog, "append", fail)
        response = serving.post(path, json=example_listing(), headers=kind)
        assert (response.status_code, response.headers["retry-after"]) == (503, "10")
        assert Problem.model_validate_json(response.content).type == "urn:appraiser:problem:log-full"
        assert metric(serving, "appraiser_appraised_price_usd_count") == 0


def segments(folder: Path) -> list[Path]:
    """Files with records of single houses."""
    return [
        path for path in folder.rglob("*") if path.is_file() and "single" in path.parent.name and path.stat().st_size
    ]
