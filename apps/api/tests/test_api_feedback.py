"""What houses sold for: reported, refused, and held against what was appraised."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from running_api import metric, wait_for
from starlette.testclient import TestClient

from appraiser_api.prediction_log import LoggedModel, single_house
from appraiser_api.prediction_log.sink import LedgerSink
from appraiser_api.services import Services
from appraiser_api.settings import Settings
from appraiser_schema import Feedback, LiveError, Prediction, Problem, Sale, latest_day
from appraiser_store import Ledger

MODEL = LoggedModel("house-price", 3, "f" * 64)
TODAY = dt.datetime.now(dt.UTC).date()


@pytest.fixture
def started(app: FastAPI, client: TestClient) -> Iterator[TestClient]:
    """A client of the application with its log shipping; no model serves."""
    services: Services = app.state.services
    services.log.start()
    yield client
    services.log.stop()


@pytest.fixture
def appraised(app: FastAPI) -> Callable[..., str]:
    """Puts an appraisal on record, as the endpoint does before it answers."""
    services: Services = app.state.services

    def put(request_id: str = "a" * 32, price_usd: float = 300_000.0, model: LoggedModel = MODEL) -> str:
        at = dt.datetime.now(dt.UTC).timestamp()
        record = single_house(
            request_id, b'{"state": "Texas"}', at=at, price_usd=price_usd, lower_usd=price_usd * 0.8,
            upper_usd=price_usd * 1.2, model=model, latency_seconds=0.001,
        )  # fmt: skip
        services.log.append(record)
        return request_id

    return put


def sale(request_id: str = "a" * 32, **changes: Any) -> dict[str, Any]:
    """A report as a client sends it."""
    return {"request_id": request_id, "sold_price_usd": 250_000, "sold_at": TODAY.isoformat(), **changes}


def a_prediction(row: int, at: dt.datetime) -> Prediction:
    """An appraisal that is in the ledger."""
    return Prediction(
        request_id="a", row=row, at=at, listing={}, features_fingerprint="f", price_usd=300_000.0,
        model_name="house-price", model_version=3, latency_seconds=0.001,
    )  # fmt: skip


class TestReport:
    """POST /feedback."""

    def test_kept(self, started: TestClient, appraised: Callable[..., str], settings: Settings) -> None:
        """A sale of a house that was appraised is kept, with the instant at which it was reported."""
        answer = started.post("/feedback", json=sale(appraised(), note="Auction."))
        assert answer.status_code == 201, answer.text
        kept = Feedback.model_validate_json(answer.content)
        assert (kept.sold_price_usd, kept.note, kept.row) == (250_000, "Auction.", 0)
        ledger = Ledger(settings.ledger_url)
        assert ledger.feedback() == [kept]
        ledger.close()

    def test_on_its_way(self, client: TestClient, appraised: Callable[..., str]) -> None:
        """An appraisal whose record has not reached the ledger can be reported on; nothing ships here."""
        assert client.post("/feedback", json=sale(appraised())).status_code == 201
        assert client.post("/feedback", json=sale(appraised(), row=1)).status_code == 404

    @pytest.mark.usefixtures("appraised")
    def test_unknown(self, client: TestClient) -> None:
        """An id that was never given out is a 404 that names it, and nothing is kept."""
        answer = client.post("/feedback", json=sale("never"))
        problem = Problem.model_validate_json(answer.content)
        assert (answer.status_code, problem.errors[0].field, problem.errors[0].value) == (404, "request_id", "never")
        assert problem.type == "urn:appraiser:problem:prediction-unknown"

    def test_one_look_at_a_time(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """Reports about unknown ids look into the log one after the other, and other requests wait for none of them."""
        looks, most, statuses = [0], [0], []

        def slow(*_: object) -> bool:
            looks[0] += 1
            most[0] = max(most[0], looks[0])
            time.sleep(0.02)
            looks[0] -= 1
            return False

        monkeypatch.setattr("appraiser_api.prediction_log.log.holds", slow)

        def report(number: int) -> None:
            statuses.append(client.post("/feedback", json=sale(f"{number:032x}")).status_code)

        with client:
            threads = [threading.Thread(target=report, args=(number,)) for number in range(5)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert (statuses, most) == ([404] * 5, [1])

    @pytest.mark.parametrize(
        ("changes", "field", "rule"),
        [
            ({"sold_price_usd": 0}, "sold_price_usd", "must be more than 0"),
            ({"sold_price_usd": 2e9}, "sold_price_usd", "must be at most 1e+09"),
            ({"sold_price_usd": "300000"}, "sold_price_usd", "must be a number"),
            ({"sold_at": "25/11/2026"}, "sold_at", "must be a date written as YYYY-MM-DD"),
            ({"sold_at": "9999-12-31"}, "sold_at", "must not be in the future"),
            ({"row": -1}, "row", "must be at least 0"),
            ({"row": 0.5}, "row", "must be a whole number"),
            ({"request_id": ""}, "request_id", "must have at least 1 character"),
            ({"note": "x" * 1001}, "note", "must be at most 1,000 characters"),
            ({"price": 1}, "price", "is no field of a report of a sale"),
        ],
    )
    def test_refused(self, client: TestClient, changes: dict[str, Any], field: str, rule: str) -> None:
        """What cannot be is a 422 that names the field, the rule and the value."""
        answer = client.post("/feedback", json=sale(**changes))
        problem = Problem.model_validate_json(answer.content)
        assert (answer.status_code, problem.errors[0].field) == (422, field)
        assert problem.errors[0].rule.startswith(rule)
        assert str(problem.errors[0].value).rstrip("…") == str(changes[field])[:200]

    def test_tomorrow_somewhere(self, client: TestClient, appraised: Callable[..., str]) -> None:
        """The latest day that it is anywhere is not the future; the day after it is."""
        latest = latest_day(dt.datetime.now(dt.UTC))
        report = sale(appraised())
        assert client.post("/feedback", json=report | {"sold_at": latest.isoformat()}).status_code == 201
        after = latest + dt.timedelta(days=2)
        assert client.post("/feedback", json=report | {"sold_at": after.isoformat()}).status_code == 422

    def test_no_object(self, client: TestClient) -> None:
        """A body that is no report says what one is."""
        answer = client.post("/feedback", json=[1])
        assert answer.json()["errors"][0]["rule"] == "must be a JSON object that reports one sale"

    def test_ledger_away(self, client: TestClient, settings: Settings) -> None:
        """A ledger that is away is a 503 with Retry-After: the sale is not kept, and the client knows."""
        Path(settings.ledger_url.removeprefix("sqlite:///")).write_bytes(b"no database" * 1000)
        answer = client.post("/feedback", json=sale())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")


class TestSummary:
    """GET /feedback/summary and its metrics."""

    def test_nothing_yet(self, client: TestClient) -> None:
        """Before the first sale there is an empty list."""
        assert client.get("/feedback/summary").json() == []

    def test_by_version(self, started: TestClient, appraised: Callable[..., str]) -> None:
        """Each version's appraisals are held against the last report about each, once they are in the ledger."""
        for number in range(3):
            appraised(f"{number:032x}")
            started.post("/feedback", json=sale(f"{number:032x}", sold_price_usd=1.0))
            started.post("/feedback", json=sale(f"{number:032x}", sold_price_usd=240_000 + 30_000 * number))
        appraised("b" * 32, model=LoggedModel("house-price", 4, "f" * 64))
        started.post("/feedback", json=sale("b" * 32))
        wait_for(lambda: [live["n"] for live in started.get("/feedback/summary").json()] == [1, 3])
        newest, older = (LiveError.model_validate(live) for live in started.get("/feedback/summary").json())
        assert newest.model_version == 4
        assert newest.mdape == pytest.approx(20)
        assert older.mdape == pytest.approx(100 / 9)
        assert older.median_ratio == pytest.approx(10 / 9)
        assert older.coverage == 100

    def test_old_sales(self, client: TestClient, settings: Settings) -> None:
        """Sales that were reported more than 90 days ago count no longer, in the summary and in the metrics."""
        now = dt.datetime.now(dt.UTC)
        ledger = Ledger(settings.ledger_url)
        for row, days in enumerate((91, 89)):
            at = now - dt.timedelta(days=days)
            report = Sale(request_id="a", row=row, sold_price_usd=250_000.0, sold_at=at.date())
            ledger.save_feedback(Feedback(**report.model_dump(), received_at=at), on_its_way=True)
            ledger.save_predictions([a_prediction(row, at - dt.timedelta(days=200))])
        sink = LedgerSink(settings.ledger_url)
        assert [live["n"] for live in client.get("/feedback/summary").json()] == [1]
        assert [live.n for live in sink.live_errors()] == [1]
        sink.close()
        ledger.close()

    def test_metrics(self, app: FastAPI, started: TestClient, appraised: Callable[..., str]) -> None:
        """The newest five versions are told to Prometheus, and the log's own figures beside them."""
        for version in range(1, 8):
            appraised(f"{version:032x}", model=LoggedModel("house-price", version, "f" * 64))
            started.post("/feedback", json=sale(f"{version:032x}"))
        wait_for(lambda: metric(started, "appraiser_predictions_shipped_total") == 7)
        app.state.services.log._shipper._live_at = 0
        wait_for(lambda: 'appraiser_live_mdape{model_version="7"} 20.0' in started.get("/metrics").text)
        text = started.get("/metrics").text
        assert [f'appraiser_live_appraisals{{model_version="{version}"}} 1.0' in text for version in range(1, 8)] == [
            False, False, True, True, True, True, True,
        ]  # fmt: skip
        wait_for(lambda: metric(started, "appraiser_prediction_backlog_bytes") == 0)


def test_prediction_is_whole(app: FastAPI, started: TestClient, settings: Settings) -> None:
    """What is on record of an appraisal comes into the ledger by itself while the service runs."""
    record = single_house(
        "whole", b'{"state": "Texas"}', at=1.0, price_usd=1.5, lower_usd=1.0, upper_usd=2.0, model=MODEL,
        latency_seconds=0.25,
    )  # fmt: skip
    app.state.services.log.append(record)
    ledger = Ledger(settings.ledger_url)
    found: list[Prediction | None] = []

    def there() -> bool:
        started.get("/health/live")
        found[:] = [ledger.prediction("whole")]
        return found[0] is not None

    wait_for(there)
    assert found[0] is not None
    assert found[0].latency_seconds == 0.25
    ledger.close()
