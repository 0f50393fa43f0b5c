"""What the client says when it gets no answer, or one that it cannot read."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from appraiser_schema import Problem
from appraiser_ui.client import NO_CHAMPION, ApiClient
from appraiser_ui.errors import ApiAwayError, NoModelError, RefusedError, UnreadableError

type Serve = Callable[[int, str], ApiClient]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A client of a server that gives everybody the same answer."""
    servers: list[ThreadingHTTPServer] = []
    clients: list[ApiClient] = []

    def of(status: int, body: str) -> ApiClient:
        class Same(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Same)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        clients.append(ApiClient(f"http://127.0.0.1:{server.server_port}"))
        return clients[-1]

    yield of
    for client in clients:
        client.close()
    for server in servers:
        server.shutdown()
        server.server_close()


def problem(**fields: str | int) -> str:
    """A problem document."""
    return Problem.model_validate({"title": "No", "status": 404, "detail": "not there"} | fields).model_dump_json()


class TestKey:
    """The key that the page sends."""

    @pytest.mark.parametrize("key", [None, "appraiser_x"])
    def test_sent(self, key: str | None) -> None:
        """It goes with every request where there is one."""
        client = ApiClient("http://127.0.0.1:9/", key)
        sent = client._http.build_request("GET", "/models").headers.get("authorization")
        client.close()
        assert sent == (None if key is None else f"Bearer {key}")


class TestErrors:
    """What can keep the API from answering."""

    def test_nobody_listens(self) -> None:
        """A dead address says which address, and what to set."""
        with pytest.raises(ApiAwayError, match=r"http://127\.0\.0\.1:9: .*APPRAISER_API_URL"):
            ApiClient("http://127.0.0.1:9/").models()

    def test_something_else_listens(self, serve: Serve) -> None:
        """Another server is not taken for the API."""
        with pytest.raises(UnreadableError, match="same version as the page"):
            serve(200, "<html></html>").models()

    def test_an_error_without_a_reason(self, serve: Serve) -> None:
        """An error that is no problem document names its status."""
        with pytest.raises(UnreadableError, match="502"):
            serve(502, "Bad gateway").models()

    def test_refused(self, serve: Serve) -> None:
        """A problem document comes through as it is."""
        with pytest.raises(RefusedError) as caught:
            serve(404, problem()).model_version(9)
        assert caught.value.problem.detail == "not there"

    def test_no_model(self, serve: Serve) -> None:
        """Having no model yet is an error of its own, since it passes by itself."""
        with pytest.raises(NoModelError, match="not there"):
            serve(503, problem(type=NO_CHAMPION, status=503)).models()

    def test_a_store_that_is_away_is_not_a_missing_model(self, serve: Serve) -> None:
        """Another 503 keeps its own reason."""
        with pytest.raises(RefusedError):
            serve(503, problem(status=503)).batches()

    def test_not_ready_is_an_answer(self, serve: Serve) -> None:
        """Not being ready is what was asked for, not an error."""
        ready = serve(503, '{"ready": false, "model": null, "detail": "wait"}').ready()
        assert (ready.ready, ready.detail) == (False, "wait")
