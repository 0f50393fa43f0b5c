"""What doctor finds where something is sick."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path

import pytest

from appraiser_cli.doctor import Level, _guarded, _ledger, _mlflow, _ports, _stores
from appraiser_cli.home import Home
from appraiser_cli.locks import Differing, differing_from_locks
from appraiser_cli.services.profile import Profile, remember
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


class TestVersions:
    """What runs against what is locked."""

    def test_library_of_another_version(self, tmp_path: Path) -> None:
        """A library that is installed in another version than an image installs is named with both."""
        (tmp_path / "api.txt").write_text(
            f"polars=={version('polars')} ; sys_platform == 'linux' \\\n    --hash=sha256:00\n"
            "httpx==0.0.1 \\\n    --hash=sha256:00\nno-such-package==1.0\n"
        )
        assert differing_from_locks(tmp_path) == [Differing("httpx", version("httpx"), "0.0.1", "api")]

    def test_mlflow_server_of_another_version(self, home: Home) -> None:
        """A server of another version than the client is a failure, with both versions and what to do."""

        class Old(_Sick):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"2.11.0")

        with HTTPServer(("127.0.0.1", 0), Old) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            (finding,) = _mlflow(home, Settings(mlflow_tracking_uri=f"http://127.0.0.1:{server.server_port}"))
            server.shutdown()
            thread.join()
        assert finding.level is Level.FAIL
        assert f"client {version('mlflow')}, server 2.11.0" in finding.text

    def test_stores_that_do_not_run(self, home: Home) -> None:
        """A state of the profile with services is healthy while nothing runs, and how to start it is told."""
        home.make()
        remember(home, Profile.SERVICES)
        found = [*_stores(home, Settings()), *_ledger(home, Settings()), *_mlflow(home, Settings())]
        assert {finding.level for finding in found} == {Level.OK}
        assert "./appraiser up" in " ".join(finding.text for finding in found)
