"""GET /service: how the parts stand, what is asked, what waits."""

import http.server
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest
from running_api import price, serves, wait_for
from starlette.testclient import TestClient

from appraiser_api.main import create_app
from appraiser_api.parts import PATIENCE_SECONDS
from appraiser_api.settings import Settings
from appraiser_model import Registry
from appraiser_schema import Fetch, FetchOutcome, Part, PartName, PartState, ServiceState, utc_now
from appraiser_store import Ledger


@pytest.fixture(scope="module")
def neighbour() -> Iterator[str]:
    """Address of a neighbour that answers its health at once, and Airflow's never."""
    ended = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/api"):
                ended.wait(30)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Server(http.server.ThreadingHTTPServer):
        # Its own way asks for the name of this machine, which can take half a minute.
        server_bind = socketserver.TCPServer.server_bind

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


def state(client: TestClient) -> ServiceState:
    """The service as it describes itself."""
    answer = client.get("/service")
    assert answer.status_code == 200, answer.text
    return ServiceState.model_validate_json(answer.content)


def parts(client: TestClient) -> dict[PartName, Part]:
    """The parts by name."""
    return {part.name: part for part in state(client).parts}


class TestParts:
    """Health of every part."""

    def test_serving(self, serving: TestClient) -> None:
        """API, registry and ledger are up; of what the service was not told it says so."""
        found = parts(serving)
        assert list(found) == list(PartName)
        codes = {name: (part.state, part.code) for name, part in found.items()}
        assert codes[PartName.API] == (PartState.UP, "serves")
        assert codes[PartName.REGISTRY] == codes[PartName.LEDGER] == (PartState.UP, "answers")
        assert codes[PartName.PREDICTION_LOG] == (PartState.UP, "writes")
        assert codes[PartName.FEED] == codes[PartName.AIRFLOW] == (PartState.UNKNOWN, "not_told")
        assert codes[PartName.PIPELINE] == (PartState.UNKNOWN, "not_yet")

    def test_neighbours(self, settings: Settings, registry: Registry, neighbour: str) -> None:
        """The feed answers; Airflow hangs, which is told in time and holds up nothing else."""
        assert registry.champion() == 1
        told = settings.model_copy(update={"feed_url": neighbour, "airflow_url": neighbour})
        with TestClient(create_app(told)) as client:
            began = time.monotonic()
            found = parts(client)
            assert time.monotonic() - began < PATIENCE_SECONDS + 5
        assert (found[PartName.FEED].state, found[PartName.FEED].code) == (PartState.UP, "answers")
        assert found[PartName.FEED].seconds is not None
        assert found[PartName.AIRFLOW].state is PartState.DOWN

    def test_away(self, settings: Settings) -> None:
        """Without a model, a ledger that cannot be opened and a feed that is not there are told as such."""
        update = {"ledger_url": "sqlite:////proc/nonesuch/ledger.db", "feed_url": "http://127.0.0.1:1"}
        found = parts(TestClient(create_app(settings.model_copy(update=update))))
        down = {name for name, part in found.items() if part.state is PartState.DOWN}
        assert down == {PartName.API, PartName.LEDGER, PartName.FEED, PartName.PIPELINE}

    @pytest.mark.parametrize(("outcome", "stands"), [("new", PartState.UP), ("lost", PartState.DOWN)])
    def test_pipeline(self, client: TestClient, settings: Settings, outcome: str, stands: PartState) -> None:
        """The pipeline stands as its last fetch ended, and when that was is told."""
        ledger = Ledger(settings.ledger_url)
        at = utc_now()
        ledger.finish_fetch(ledger.begin_fetch(at), Fetch(at=at, outcome=FetchOutcome(outcome), detail="So it was."))
        ledger.close()
        part = parts(client)[PartName.PIPELINE]
        assert (part.state, part.last_at, part.detail) == (stands, at, "So it was.")


class TestTraffic:
    """What the service was asked."""

    def test_counts(self, serving: TestClient) -> None:
        """Requests are counted by route, with how many were refused and how fast all were."""
        price(serving)
        price(serving)
        serving.post("/predict", json={"state": "Nowhere"})
        found = state(serving)
        route = next(route for route in found.routes if route.route == "/predict")
        assert (route.requests, route.refused, route.failed) == (3, 1, 0)
        assert len(route.within) == len(found.bounds_seconds)
        assert list(route.within) == sorted(route.within)
        assert route.within[-1] == 3
        assert found.workers == 1
        assert found.keys_needed is False

    def test_backlog(self, settings: Settings, registry: Registry) -> None:
        """Answers that the ledger has not taken are told until it has."""
        assert registry.champion() == 1
        with TestClient(create_app(settings)) as client:
            wait_for(lambda: serves(client) == 1)
            price(client)
            wait_for(lambda: state(client).backlog.shipped == 1)
            assert state(client).backlog.records == 0
            assert set(state(client).backlog.failures) == {"append", "sync", "ship", "damaged", "refused"}
