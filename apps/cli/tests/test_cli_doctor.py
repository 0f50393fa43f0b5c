"""What doctor finds where something is sick."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from appraiser_cli.doctor import Level, _guarded, _mlflow, _ports
from appraiser_cli.home import Home
from appraiser_cli.settings import Settings


class _Sick(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(500)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def sick_server() -> Iterator[int]:
    """Port of a server that fails at every question."""
    with HTTPServer(("127.0.0.1", 0), _Sick) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


class TestDoctor:
    """Findings instead of errors."""

    def test_check_that_fails_is_a_finding(self, home: Home) -> None:
        """A check that fails in a way that nobody foresaw is told like the others."""

        def broken(_home: Home, _settings: Settings) -> Iterator[None]:
            raise KeyError("scheduler")
            yield

        (finding,) = _guarded(broken, home, Settings())
        assert (finding.level, finding.what, finding.text) == (Level.FAIL, "broken", "KeyError: 'scheduler'")

    def test_password_is_not_shown(self, home: Home, sick_server: int) -> None:
        """A sick MLflow is named by its address, without the login in it."""
        uri = f"http://me:secret@127.0.0.1:{sick_server}"
        (finding,) = _mlflow(home, Settings(mlflow_tracking_uri=uri))
        assert finding.level is Level.FAIL
        assert f"http://127.0.0.1:{sick_server} does not answer" in finding.text
        assert "secret" not in finding.text

    def test_any_port_is_not_taken(self, home: Home) -> None:
        """Port 0 takes any that is free, so it is never taken by others."""
        none = Settings(feed_port=0, mlflow_port=0, airflow_port=0, api_port=0, ui_port=0)
        (finding,) = _ports(home, none)
        assert finding.level is Level.OK
