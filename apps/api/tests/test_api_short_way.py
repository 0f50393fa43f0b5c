"""The short way of POST /predict: it answers what the careful way would, or leaves the request to it."""

import datetime as dt
import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settled
from hypothesis import strategies as st
from running_api import wait_for

from appraiser_api.connection import BoundedConnection
from appraiser_api.draining import DRAINING
from appraiser_api.errors import LogFullError
from appraiser_api.listening import listen
from appraiser_api.main import create_app
from appraiser_api.prediction_log import PredictionLog
from appraiser_api.server import Server
from appraiser_api.services import Services
from appraiser_api.settings import Settings
from appraiser_api.short_way import Held, ShortWay
from appraiser_schema import ApiKey, Appraisal, KeyFile, Problem, Scope, example_listing, hash_key, new_key, utc_now

SHORT = {"Content-Type": "application/json"}
CAREFUL = {"Content-Type": "application/json; charset=utf-8"}
HEADERS = [(b"content-type", b"application/json")]
BODY = json.dumps(example_listing()).encode()
TOGETHER = 32

ODD: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-5, 100_000) | st.floats() | st.text(max_size=6) | st.just([])
)
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


@dataclass
class Served:
    """An API that listens, with a model that serves.

    Attributes:
        server: The server; it runs in a thread.
        services: What it answers from.
        port: Where it listens.
        client: A client that keeps its connection.
    """

    server: Server
    services: Services
    port: int
    client: httpx2.Client

    def post(self, content: bytes | str, headers: dict[str, str], path: str = "/predict") -> httpx2.Response:
        """Send a listing."""
        return self.client.post(path, content=content, headers=headers)

    def metric(self, name: str) -> float:
        """Value of a metric with its labels; 0 where it is not told."""
        lines = self.client.get("/metrics").text.splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name} ")), 0.0)

    def connections(self) -> list[BoundedConnection]:
        """Those that are open, as the server has them."""
        return [one for one in list(self.server.server_state.connections) if isinstance(one, BoundedConnection)]

    def connect(self) -> socket.socket:
        """A further connection, which the server has accepted."""
        made = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        own = made.getsockname()
        wait_for(lambda: any(one.client == own for one in self.connections()))
        return made

    def at_once(self, send: Callable[[], None]) -> None:
        """Let all that is sent have arrived before the server looks at the first of it."""
        stopped, go_on = threading.Event(), threading.Event()
        (connection, *_) = self.connections()

        def stop() -> None:
            stopped.set()
            go_on.wait(30)

        connection.loop.call_soon_threadsafe(stop)
        assert stopped.wait(30)
        send()
        time.sleep(0.05)
        go_on.set()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, first_registry: Path) -> Iterator[Served]:
    """An API whose stores lie in a folder of its own, with version 1 as its champion."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(first_registry, folder / "mlflow.db")
    settings = Settings(
        model_cache=folder / "models",
        prediction_log=folder / "predictions",
        ledger_url=f"sqlite:///{folder / 'ledger.db'}",
        tracking_uri=f"sqlite:///{folder / 'mlflow.db'}",
    )
    app = create_app(settings)
    server, listener = Server(app, settings), listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    port = listener.getsockname()[1]
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
        wait_for(lambda: app.state.services.holder.current is not None)
        yield Served(server, app.state.services, port, client)
    server.should_exit = True
    thread.join(30)
    listener.close()
    DRAINING.on = False  # the server has switched it on, for this whole process


def told(response: httpx2.Response) -> tuple[int, Any, list[tuple[bytes, bytes]]]:
    """Status, body and headers in their order, but for what differs from one request to the next."""
    body = response.json()
    body.pop("request_id")
    differing = (b"x-request-id", b"date")
    return response.status_code, body, [(k, b"" if k in differing else v) for k, v in response.headers.raw]


def request(body: bytes = BODY, *lines: str, target: str = "/predict", version: str = "1.1") -> bytes:
    """A request as it stands on the wire."""
    head = (f"POST {target} HTTP/{version}", "Host: x", "Content-Type: application/json", *lines)
    return "\r\n".join((*head, f"Content-Length: {len(body)}", "", "")).encode() + body


def read_answer(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """Status and body of the next answer on a connection, of which nothing is read beyond."""
    file = connection.makefile("rb", buffering=0)
    status, length = int(file.readline().split()[1]), 0
    while (line := file.readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    body = b""
    while len(body) < length:
        body += file.read(length - len(body))
    return status, json.loads(body)


class TestShortWay:
    """Beside the careful way."""

    @settled(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(body=BODIES)
    def test_same_answer(self, served: Served, body: dict[str, Any]) -> None:
        """Whatever is sent, both give the same status, body and headers, to the letter."""
        content = json.dumps(body)
        short, careful = (served.post(content, kind) for kind in (SHORT, CAREFUL))
        assert told(short) == told(careful)

    @pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b'{"state":"Texas","state":"Guam"}', b'"\\ud800"'])
    def test_no_listing(self, served: Served, content: bytes) -> None:
        """So they do where the body is no object, or an odd one."""
        short, careful = (served.post(content, kind) for kind in (SHORT, CAREFUL))
        assert told(short) == told(careful)

    def test_bytes(self, served: Served) -> None:
        """The bytes of an answer are written the same way."""
        short, careful = (served.post(BODY, kind) for kind in (SHORT, CAREFUL))
        assert short.content == Appraisal.model_validate_json(short.content).model_dump_json().encode()
        assert len(short.content) == len(careful.content)
        assert short.json()["price_usd"] == careful.json()["price_usd"]

    def test_taken(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        """A listing that is in order never gets to the application."""
        monkeypatch.setattr("appraiser_api.routes.predict.appraise", lambda *_: pytest.fail("the careful way"))
        answer = served.post(BODY, SHORT | {"X-Request-ID": "mine"})
        assert (answer.status_code, answer.headers["x-request-id"]) == (200, "mine")

    @pytest.mark.parametrize(
        "sent",
        [
            request(BODY, "Expect: 100-continue"),
            request(BODY, "Connection: close"),
            request(BODY, target="/predict?x=1"),
            request(BODY, version="1.0"),
        ],
    )
    def test_unusual(self, served: Served, sent: bytes) -> None:
        """What is unusual on the wire is answered as well."""
        with served.connect() as connection:
            connection.sendall(sent)
            status, body = read_answer(connection) if b"Expect" not in sent else _after_continue(connection)
        assert (status, body["price_usd"]) == (200, served.post(BODY, SHORT).json()["price_usd"])

    def test_in_pieces(self, served: Served) -> None:
        """A body that arrives in pieces, with pauses between, is answered as one that was there at once."""
        whole = request()
        with served.connect() as connection:
            for piece in (whole[:20], whole[20:-50], whole[-50:-10], whole[-10:]):
                connection.sendall(piece)
                time.sleep(0.02)
            status, body = read_answer(connection)
        assert (status, body["price_usd"]) == (200, served.post(BODY, SHORT).json()["price_usd"])

    @pytest.mark.parametrize(("spaces", "expected"), [(70_000, 200), (2_000_000, 413)])
    def test_long(self, served: Served, spaces: int, expected: int) -> None:
        """A body that is longer than any house is left to the careful way, which takes it up to its limit."""
        with served.connect() as connection:
            connection.sendall(request(b" " * spaces + BODY))
            assert read_answer(connection)[0] == expected

    def test_end_comes_first(self, served: Served) -> None:
        """A body that is still arriving when the service ends is answered, and then the connection ends."""
        whole = request()
        with served.connect() as connection:
            connection.sendall(whole[:-10])
            own = connection.getsockname()
            (held,) = [one for one in served.connections() if one.client == own]
            wait_for(lambda: held._held)
            held.loop.call_soon_threadsafe(held.shutdown)
            wait_for(lambda: not held._held)
            connection.sendall(whole[-10:])
            assert read_answer(connection)[0] == 200
            assert connection.recv(1) == b""

    @pytest.mark.parametrize("kind", [SHORT, CAREFUL])
    def test_counted_once(self, served: Served, kind: dict[str, str]) -> None:
        """Either way an answer is counted once, under its route and the version that gave it."""
        names = (
            'appraiser_requests_total{method="POST",route="/predict",status="200"}',
            'appraiser_request_seconds_count{model_version="1",route="/predict"}',
            "appraiser_appraised_price_usd_count",
        )
        before = [served.metric(name) for name in names]
        served.post(BODY, kind)
        assert [served.metric(name) for name in names] == [count + 1 for count in before]


class TestPipelined:
    """Requests that a client sends without waiting for the answers."""

    def test_order(self, served: Served) -> None:
        """Each gets its own answer, in the order in which they were sent, whichever way each of them takes."""
        bad = b'{"state": "Guam", "bed": -1}'
        sent = [request(), request(bad), request(), b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n", request(bad)]
        with served.connect() as connection, served.connect():
            connection.sendall(b"".join(sent))
            assert [read_answer(connection)[0] for _ in sent] == [200, 422, 200, 200, 422]

    def test_first_is_bad(self, served: Served) -> None:
        """So it is where the first has a fault, which only the careful way can name."""
        live = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
        sent = [request(b'{"state": "Guam", "bed": -1}'), live, request()]
        with served.connect() as connection, served.connect():
            connection.sendall(b"".join(sent))
            assert [read_answer(connection)[0] for _ in sent] == [422, 200, 200]

    def test_then_nonsense(self, served: Served) -> None:
        """What is no HTTP is refused after what came before it was answered."""
        with served.connect() as connection, served.connect():
            connection.sendall(request() + b"nonsense\r\n\r\n")
            assert [read_answer(connection)[0] for _ in range(2)] == [200, 400]


class TestTogether:
    """Requests that arrive in the same turn of the event loop."""

    def test_same_prices(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        """They are put on record by one write, and each gets what it gets on its own."""
        bodies = [json.dumps(example_listing() | {"house_size": 900 + 40 * n}).encode() for n in range(TOGETHER)]
        alone = [served.post(body, SHORT).json() | {"request_id": ""} for body in bodies]
        written: list[int] = []
        append = PredictionLog.append

        def count(log: PredictionLog, *records: bytes) -> None:
            written.append(len(records))
            append(log, *records)

        monkeypatch.setattr(PredictionLog, "append", count)
        answers = together(served, [request(body) for body in bodies])
        assert [body | {"request_id": ""} for _, body in answers] == alone
        assert len({body["request_id"] for _, body in answers}) == TOGETHER
        assert sum(written) == TOGETHER
        assert max(written) > TOGETHER // 2

    def test_one_is_bad(self, served: Served) -> None:
        """One that breaks a rule harms none of the others."""
        bad = request(b'{"state": "Texas", "bed": -1}')
        answers = together(served, [request(), bad, *[request()] * 6])
        assert [status for status, _ in answers] == [200, 422, *[200] * 6]
        assert answers[1][1]["errors"][0]["field"] == "bed"

    def test_one_is_gone(self, served: Served) -> None:
        """Neither does one that has hung up."""
        with ExitStack() as stack:
            stay, leave = [stack.enter_context(served.connect()) for _ in range(2)]

            def send() -> None:
                leave.sendall(request())
                leave.close()
                stay.sendall(request())

            served.at_once(send)
            assert read_answer(stay)[0] == 200

    def test_fault(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the short way fails for a reason that nobody thought of, each takes the careful way."""
        monkeypatch.setattr("appraiser_api.short_way.appraise", lambda *_: 1 / 0)
        assert [status for status, _ in together(served, [request()] * 4)] == [200] * 4


class TestOnRecord:
    """No answer without a record."""

    @pytest.mark.parametrize("kind", [SHORT, CAREFUL])
    @pytest.mark.parametrize("path", ["/predict", "/explain"])
    def test_before_the_answer(
        self, served: Served, monkeypatch: pytest.MonkeyPatch, kind: dict[str, str], path: str
    ) -> None:
        """The record is in the log when the answer is there, with the id and the price that it gives."""
        written: list[bytes] = []
        monkeypatch.setattr(PredictionLog, "append", lambda _, *records: written.extend(records))
        answer = served.post(BODY, kind | {"X-Request-ID": "mine"}, path).json()
        (content,) = written
        assert content.count(answer.get("appraisal", answer)["request_id"].encode()) == 1
        assert b"mine" in content
        assert b'"zip_code":"06016"' in content

    def test_in_the_file(self, served: Served) -> None:
        """What the log was given is in its file, or already in the ledger."""
        request_id = served.post(BODY, SHORT).json()["request_id"]

        def found() -> bool:
            return served.client.get(f"/lineage?request_id={request_id}").status_code == 200

        assert served.services.log.holds(request_id) or found()

    @pytest.mark.parametrize("kind", [SHORT, CAREFUL])
    @pytest.mark.parametrize("path", ["/predict", "/explain"])
    def test_full(self, served: Served, monkeypatch: pytest.MonkeyPatch, kind: dict[str, str], path: str) -> None:
        """Where nothing can be written nothing is answered: 503, and the price is not told."""
        before = served.metric("appraiser_appraised_price_usd_count")
        monkeypatch.setattr(PredictionLog, "append", _fail)
        response = served.post(BODY, kind, path)
        assert (response.status_code, response.headers["retry-after"]) == (503, "10")
        assert Problem.model_validate_json(response.content).type == "urn:appraiser:problem:log-full"
        assert served.metric("appraiser_appraised_price_usd_count") == before

    def test_full_together(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        """So it is for all that were to be written together."""
        monkeypatch.setattr(PredictionLog, "append", _fail)
        assert [status for status, _ in together(served, [request()] * 4)] == [503] * 4


class TestRefused:
    """What may not be answered is left to the careful way, which says why."""

    def test_draining(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of a service that ends, for the answer must say so."""
        monkeypatch.setattr(DRAINING, "on", True)
        response = served.post(BODY, SHORT)
        assert (response.status_code, response.headers["connection"]) == (200, "close")

    def test_keys(self, served: Served, short_way: Callable[..., ShortWay], tmp_path: Path) -> None:
        """Of one without a key, or with one that may not ask for prices."""
        keys = {scope: new_key() for scope in (Scope.PREDICT, Scope.READ)}
        kept = [
            ApiKey(name=scope, sha256=hash_key(key), scopes=(scope,), created_at=utc_now())
            for scope, key in keys.items()
        ]
        (tmp_path / "keys.json").write_text(KeyFile(keys=tuple(kept)).model_dump_json())
        way = short_way(served, api_keys=tmp_path / "keys.json")
        assert ask(way) is None
        assert ask(way, (b"x-api-key", keys[Scope.READ].encode())) is None
        assert ask(way, (b"x-api-key", keys[Scope.PREDICT].encode())) is not None
        assert ask(way, (b"authorization", b"Bearer " + keys[Scope.PREDICT].encode())) is not None

    def test_rate(self, served: Served, short_way: Callable[..., ShortWay]) -> None:
        """Of one that asks too often; a listing with a fault takes nothing of what it may ask here."""
        way = short_way(served, api_rate=1.0)
        assert ask(way, body=b"{}") is None
        assert [ask(way) is None for _ in range(3)] == [False, False, True]

    def test_busy(self, served: Served, short_way: Callable[..., ShortWay]) -> None:
        """Of anybody while as many requests are being worked on as may be."""
        way = short_way(served, api_in_flight=1)
        way._admission.busy = 1
        assert ask(way) is None

    def test_origins(self, served: Served, short_way: Callable[..., ShortWay]) -> None:
        """Of a page of another site, where such may ask: its browser must be told so."""
        way = short_way(served, api_cors_origins=("https://a.example",))
        assert ask(way, (b"origin", b"https://a.example")) is None
        assert ask(way) is not None


@pytest.fixture
def short_way(settings: Settings) -> Callable[..., ShortWay]:
    """The short way of an API with other settings, which is not started, before the champion of another."""

    def make(served: Served, **changes: Any) -> ShortWay:
        state = create_app(settings.model_copy(update=changes)).state
        champion = served.services.holder.current
        assert champion is not None
        state.services.holder.swap(champion)
        way: ShortWay = state.short_way
        return way

    return make


def ask(way: ShortWay, *headers: tuple[bytes, bytes], body: bytes = BODY) -> bytes | None:
    """The answer to one request."""
    answers: list[bytes | None] = []
    way.ask(Held([*HEADERS, *headers], body, "127.0.0.1", (), answers.append), lambda _: None, alone=True)
    (answer,) = answers
    return answer


def together(served: Served, requests: list[bytes]) -> list[tuple[int, dict[str, Any]]]:
    """Status and body of the answers to requests that arrive together, each over a connection of its own."""
    with ExitStack() as stack:
        connections = [stack.enter_context(served.connect()) for _ in requests]

        def send() -> None:
            for connection, sent in zip(connections, requests, strict=True):
                connection.sendall(sent)

        served.at_once(send)
        return [read_answer(connection) for connection in connections]


def _after_continue(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    return read_answer(connection)


def _fail(*_: object) -> None:
    raise LogFullError("No space left on device")
