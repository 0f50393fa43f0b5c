"""The client of Airflow's REST API, against a small real server that fails."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from appraiser_cli.errors import PipelineError
from appraiser_cli.following import airflow_api
from appraiser_cli.following.airflow_api import AirflowApi
from appraiser_cli.home import Home
from appraiser_cli.services.credentials import Credentials


class Server(HTTPServer):
    """Gives the statuses it was told, one after the other, then 200; logins always succeed."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.statuses: list[int] = []
        self.asked: list[str] = []


class _Answer(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self._answer(self.server.statuses.pop(0) if self.server.statuses else 200)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/auth/token":
            self._answer(201)
        else:
            self.do_GET()

    def _answer(self, status: int) -> None:
        self.server.asked.append(f"{self.command} {self.path.rsplit('/', 1)[-1]}")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps({"access_token": "x", "state": "success", "dag_run_id": "run"}).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server in a thread of its own."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def api(server: Server, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[AirflowApi]:
    """A client that is logged in and waits a moment only."""
    monkeypatch.setattr(airflow_api, "_PAUSE", airflow_api._PAUSE / 50)
    client = AirflowApi(f"http://127.0.0.1:{server.server_port}", "dag", Credentials.load_or_make(home))
    client.run_state("first")
    server.asked.clear()
    yield client
    client.close()


class TestAsking:
    """What is asked again, and what is not."""

    def test_question_outlives_a_server_that_fails_for_a_moment(self, api: AirflowApi, server: Server) -> None:
        """A question is asked again after a failure of the server."""
        server.statuses = [503, 500]
        assert api.run_state("run") == "success"
        assert server.asked == ["GET run"] * 3

    def test_failure_that_lasts_is_told(self, api: AirflowApi, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """A server that goes on failing is an error once the patience is at its end."""
        monkeypatch.setattr(airflow_api, "_PATIENCE", airflow_api._PAUSE * 3)
        server.statuses = [503] * 1000
        with pytest.raises(PipelineError, match=r"refuses GET .* with 503"):
            api.run_state("run")

    def test_trigger_is_not_repeated(self, api: AirflowApi, server: Server) -> None:
        """A run that may have started is not started twice."""
        server.statuses = [500]
        with pytest.raises(PipelineError, match="refuses POST"):
            api.trigger()
        assert server.asked == ["POST dagRuns"]

    def test_login_that_ran_out_is_renewed(self, api: AirflowApi, server: Server) -> None:
        """A login that is no longer taken is made anew, once."""
        server.statuses = [401]
        assert api.run_state("run") == "success"
        assert server.asked == ["GET run", "POST token", "GET run"]

    def test_login_is_renewed_once_a_question(self, api: AirflowApi, server: Server) -> None:
        """A server that takes no login is an error, and is not asked for ever."""
        server.statuses = [401] * 1000
        with pytest.raises(PipelineError, match="with 401"):
            api.run_state("run")
        assert len(server.asked) == 3
