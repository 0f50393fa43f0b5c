"""Traces, sent to a small real receiver."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from running_api import serves, wait_for
from starlette.testclient import TestClient

from appraiser_api import spans
from appraiser_api.champion import Champion
from appraiser_api.main import create_app
from appraiser_api.settings import Settings
from appraiser_model import Registry


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Span]]:
    """Spans that came in at the address of the environment."""
    found: list[Span] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            request = ExportTraceServiceRequest.FromString(body)
            found.extend(s for r in request.resource_spans for scope in r.scope_spans for s in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    yield found
    spans.use(None)
    server.shutdown()
    server.server_close()


class TestTraces:
    """What a trace tells of a request."""

    def test_appraisal(self, received: list[Span], settings: Settings, registry: Registry) -> None:
        """The request within the client's trace, the model and the log within the request, nothing of the house."""
        assert registry.champion() == 1
        traced = Settings.model_validate(settings.model_dump() | {"otlp_endpoint": "http://there"})
        with TestClient(create_app(traced)) as client:
            wait_for(lambda: serves(client) == 1)
            trace = "0af7651916cd43dd8448eb211c80319c"
            headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "X-Request-ID": "traced-1"}
            house = {"state": "Texas", "city": "Secretville"}
            assert client.post("/predict", json=house, headers=headers).status_code == 200
        by_name = {span.name: span for span in received}
        request = by_name["POST /predict"]
        assert request.trace_id.hex() == trace
        assert {by_name[name].parent_span_id for name in ("appraise", "record")} == {request.span_id}
        attributes = {a.key: a.value.string_value or a.value.int_value for a in request.attributes}
        assert attributes["appraiser.request_id"] == "traced-1"
        assert (attributes["http.response.status_code"], attributes["appraiser.model_version"]) == (200, 1)
        assert "Secretville" not in str(received)

    def test_fault(
        self, received: list[Span], settings: Settings, registry: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a fault the trace tells the kind and nothing that its message holds."""
        assert registry.champion() == 1
        traced = Settings.model_validate(settings.model_dump() | {"otlp_endpoint": "http://there"})
        with TestClient(create_app(traced)) as client:
            wait_for(lambda: serves(client) == 1)

            def fail(*_: object) -> None:
                raise ValueError("Secretville")

            monkeypatch.setattr(Champion, "appraise", fail)
            assert client.post("/predict", json={"state": "Texas", "city": "Secretville"}).status_code == 500
        by_name = {span.name: span for span in received}
        for name in ("POST /predict", "appraise"):
            attributes = {a.key: a.value.string_value for a in by_name[name].attributes}
            assert attributes["error.type"] == "ValueError"
            assert by_name[name].status.code == Status.STATUS_CODE_ERROR
        assert "Secretville" not in str(received)

    def test_not_wanted(self) -> None:
        """Without an address nothing of OpenTelemetry is imported."""
        code = "import sys; from appraiser_api.main import create_app; create_app(); print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
        assert "opentelemetry" not in done.stdout
