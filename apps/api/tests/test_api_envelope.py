"""What goes around every answer: ids, headers, logs and metrics."""

import asyncio
import re

import pytest
from fastapi import FastAPI
from running_api import metric
from starlette.testclient import TestClient
from starlette.types import Message
from structlog.testing import capture_logs

from appraiser_schema import example_listing


class TestRequestId:
    """X-Request-ID."""

    @pytest.mark.parametrize("sane", ["a", "5d1f0c6e3b0a4c5c9f6f3f1b2a7d8e90", "trace:1.2-3_4"])
    def test_kept(self, client: TestClient, sane: str) -> None:
        """A sane id comes back."""
        assert client.get("/", headers={"X-Request-ID": sane}).headers["x-request-id"] == sane

    @pytest.mark.parametrize("odd", ["", "a b", "x" * 65, "<script>", '"', "a;b"])
    def test_replaced(self, client: TestClient, odd: str) -> None:
        """Anything else is replaced by a new one, for logs are read by programs."""
        assert re.fullmatch("[0-9a-f]{32}", client.get("/", headers={"X-Request-ID": odd}).headers["x-request-id"])

    def test_new_each_time(self, client: TestClient) -> None:
        """Without one, each request has its own."""
        assert client.get("/").headers["x-request-id"] != client.get("/").headers["x-request-id"]


class TestHeaders:
    """Security headers."""

    @pytest.mark.parametrize("path", ["/", "/nothing", "/health/live", "/predict"])
    def test_everywhere(self, client: TestClient, path: str) -> None:
        """They stand on answers and on errors alike."""
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"

    def test_no_cors(self, client: TestClient) -> None:
        """A page of another site is not let in."""
        headers = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}
        response = client.options("/predict", headers=headers)
        assert response.status_code == 405
        assert not [name for name in response.headers if name.startswith("access-control")]


class TestMetrics:
    """GET /metrics."""

    def test_templates_are_labels(self, client: TestClient) -> None:
        """The label is the template of the route; an address that leads nowhere, or an odd method, adds no label."""
        for path in ("/models/x", "/models/y", "/nothing", "/else"):
            client.get(path)
        client.request("BREW", "/")
        text = client.get("/metrics").text
        assert 'appraiser_requests_total{method="GET",route="/models/{version}",status="422"} 2.0' in text
        assert 'appraiser_requests_total{method="GET",route="none",status="404"} 2.0' in text
        assert 'appraiser_requests_total{method="OTHER",route="/",status="405"} 1.0' in text
        assert "nothing" not in text
        assert "BREW" not in text

    def test_appraisals(self, serving: TestClient) -> None:
        """Prices are counted, and appraisals with warnings apart."""
        serving.post("/predict", json=example_listing())
        serving.post("/predict", json={"state": "Alaska"})
        assert metric(serving, "appraiser_appraised_price_usd_count") == 2
        assert metric(serving, "appraiser_appraisals_with_warnings_total") >= 1
        assert metric(serving, "appraiser_registry_up") == 1
        assert metric(serving, "process_open_fds") > 0


class TestLogs:
    """One line per request."""

    def test_line(self, client: TestClient) -> None:
        """Id, route, status and milliseconds; nothing of the house, and of a probe only where one looks closer."""
        with capture_logs() as lines:
            client.post("/predict", json=example_listing(), headers={"X-Request-ID": "line-1"})
            client.get("/health/live")
        line, probe = lines
        assert line.pop("milliseconds") > 0
        assert line == {
            "event": "request",
            "log_level": "info",
            "request_id": "line-1",
            "method": "POST",
            "route": "/predict",
            "status": 503,
        }
        assert probe["log_level"] == "debug"

    def test_client_left(self, app: FastAPI) -> None:
        """A client that hangs up while it is sending is no fault of the service."""

        async def hang_up() -> Message:
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            raise AssertionError(message)

        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/predict", "headers": headers, "query_string": b""}
        with capture_logs() as lines:
            asyncio.run(app(scope, hang_up, send))
        assert [(line["event"], line["status"]) for line in lines] == [("request", 499)]

    def test_fault(self, faulty_client: TestClient) -> None:
        """A fault of the service is logged with its traceback, under the id that the answer carries."""
        with capture_logs() as lines:
            faulty_client.get("/fault", headers={"X-Request-ID": "fault-1"})
        fault = next(line for line in lines if line["event"] == "request_failed")
        assert (fault["request_id"], fault["route"], fault["exc_info"]) == ("fault-1", "/fault", True)
