"""Versions that do not fit: told by the readiness, without holding it up."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any, cast

import pytest

from appraiser_api.champion import Champion
from appraiser_api.versions import Versions
from appraiser_model.card import library_versions

type Server = Callable[[str, float], str]


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that says which version it is, after some seconds."""
    running = []

    def start(said: str, seconds: float = 0.0) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                time.sleep(seconds)
                self.send_response(200 if self.path == "/version" else 404)
                self.end_headers()
                self.wfile.write(said.encode())

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        running.append((made, thread))
        return f"http://127.0.0.1:{made.server_address[1]}/"

    yield start
    for made, thread in running:
        made.shutdown()
        made.server_close()
        thread.join()


@pytest.fixture
def opened() -> Iterator[Callable[[str], Versions]]:
    """Versions over a tracking address, closed after the test."""
    made: list[Versions] = []

    def open_(uri: str) -> Versions:
        made.append(Versions(uri))
        return made[-1]

    yield open_
    for each in made:
        each.close()


def told(versions: Versions, champion: Champion | None = None) -> tuple[str, ...]:
    """What is told once the server was asked."""
    versions.mismatches(champion)
    if versions._running is not None:
        versions._running.result(10)
    return versions.mismatches(champion)


def a_champion(**changed: str) -> Champion:
    """A champion that was trained with these libraries."""
    card = SimpleNamespace(libraries=library_versions() | changed)
    made: Any = SimpleNamespace(bundle=SimpleNamespace(card=card), facts=SimpleNamespace(version=7))
    return cast("Champion", made)


class TestMismatches:
    """What is told."""

    def test_server_of_another_version(self, server: Server, opened: Callable[[str], Versions]) -> None:
        """Both versions of MLflow are named, and what to do."""
        (found,) = told(opened(server("2.11.0", 0)))
        assert version("mlflow-skinny") in found
        assert "2.11.0" in found
        assert "from one lock" in found

    def test_same_version(self, server: Server, opened: Callable[[str], Versions]) -> None:
        """Nothing is told where they fit, nor where MLflow is a file."""
        assert told(opened(server(version("mlflow-skinny"), 0))) == ()
        assert told(opened("sqlite:///mlflow.db")) == ()

    def test_server_away(self, opened: Callable[[str], Versions]) -> None:
        """A server that is away has no version that could be wrong."""
        assert told(opened("http://127.0.0.1:1")) == ()

    def test_nobody_waits(self, server: Server, opened: Callable[[str], Versions]) -> None:
        """A server that hangs holds up nobody who asks whether the service is ready."""
        versions = opened(server("2.11.0", 1.0))
        began = time.perf_counter()
        for _ in range(100):
            assert versions.mismatches(None) == ()
        assert time.perf_counter() - began < 0.5
        assert len(told(versions)) == 1

    def test_libraries(self, opened: Callable[[str], Versions]) -> None:
        """A model that other libraries trained is named, with theirs and ours."""
        assert told(opened("sqlite:///mlflow.db"), a_champion()) == ()
        (found,) = told(opened("sqlite:///mlflow.db"), a_champion(xgboost="2.0.0"))
        assert f"Version 7 was trained with other libraries than run here: xgboost {version('xgboost')}" in found
        assert "instead of 2.0.0" in found
