"""Connections that would hold memory or a place for ever, at a real server before a small application."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest
from running_api import wait_for
from starlette.types import Receive, Scope, Send

from appraiser_api.connection import BoundedConnection
from appraiser_api.draining import DRAINING
from appraiser_api.listening import listen
from appraiser_api.server import Server
from appraiser_api.settings import Settings

PART = b"x" * 65_536
PARTS = 800
"""50 MiB: more than the kernel keeps for a client that does not read."""


@dataclass
class SmallApp:
    """Answers /slow once it may, /large with much, and every other address with that of the client.

    Attributes:
        may_answer: Lets /slow answer.
        ended: Requests that are over.
    """

    may_answer: threading.Event = field(default_factory=threading.Event)
    ended: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        try:
            if scope["path"] == "/slow":
                await asyncio.to_thread(self.may_answer.wait)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(PARTS if scope["path"] == "/large" else 0):
                await send({"type": "http.response.body", "body": PART, "more_body": True})
            await send({"type": "http.response.body", "body": scope["client"][0].encode()})
        finally:
            self.ended.append(scope["path"])


@dataclass
class Serving:
    """A server that runs in a thread.

    Attributes:
        app: What answers.
        server: The server.
        port: Where it listens.
    """

    app: SmallApp
    server: Server
    port: int

    def connection(self) -> BoundedConnection:
        """The one connection there is, as the server has it."""
        wait_for(lambda: len(self.server.server_state.connections) == 1)
        (found,) = self.server.server_state.connections
        assert isinstance(found, BoundedConnection)
        return found

    @contextmanager
    def connected(self) -> Iterator[socket.socket]:
        """A client with little room for what it does not read."""
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            client.settimeout(30)
            client.connect(("127.0.0.1", self.port))
            yield client


@pytest.fixture
def serving_small() -> Iterator[Serving]:
    """A server that is impatient with heads and bodies."""
    app = SmallApp()
    server = Server(app, Settings(api_head_seconds=0.5, api_body_seconds=1.0))
    listener = listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    wait_for(lambda: server.started)
    yield Serving(app, server, listener.getsockname()[1])
    app.may_answer.set()
    server.should_exit = True
    thread.join(30)
    listener.close()
    DRAINING.on = False  # the server has switched it on, for this whole process


def kept_bytes(connection: BoundedConnection) -> int:
    """What the server keeps of the head that arrives."""
    return sum(len(name) + len(value) for name, value in connection.headers)


def read_all(client: socket.socket) -> bytes:
    """What comes until the connection ends; it is reset where the server has left something unread."""
    received = b""
    with suppress(ConnectionResetError):
        while chunk := client.recv(65_536):
            received += chunk
    return received


class TestPipelined:
    """A head that follows a request which is still being answered."""

    def test_endless(self, serving_small: Serving) -> None:
        """One without end is not kept, and the connection ends after the answer."""
        with serving_small.connected() as client:
            client.sendall(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\nGET /second HTTP/1.1\r\n")
            connection = serving_small.connection()
            client.settimeout(1)
            with suppress(TimeoutError):
                for _ in range(2_000):
                    client.sendall(b"x-more: " + b"y" * 8_000 + b"\r\n")
            assert kept_bytes(connection) < 2**20
            client.settimeout(10)
            serving_small.app.may_answer.set()
            assert read_all(client).count(b"HTTP/1.1 200") <= 1
        assert serving_small.app.ended == ["/slow"]

    def test_dribbling(self, serving_small: Serving) -> None:
        """One that does not arrive in time is not waited for, and what comes of it later is not looked at."""
        with serving_small.connected() as client:
            client.sendall(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\nGET /second HTTP/1.1\r\n")
            connection = serving_small.connection()
            time.sleep(2.0)
            client.sendall(b"host: x\r\n\r\n")
            time.sleep(0.2)
            assert not connection.pipeline
            serving_small.app.may_answer.set()
            assert read_all(client).count(b"HTTP/1.1 200") <= 1
        assert serving_small.app.ended == ["/slow"]


class TestReader:
    """A client that asks for much."""

    def test_stops(self, serving_small: Serving) -> None:
        """Whoever stops reading is let go: the request ends, and the connection with it."""
        with serving_small.connected() as client:
            client.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
            client.recv(1_000)
            wait_for(lambda: serving_small.app.ended == ["/large"], seconds=10)
            wait_for(lambda: not serving_small.server.server_state.connections, seconds=5)

    def test_slow(self, serving_small: Serving) -> None:
        """Whoever reads on, if slowly, gets all of it, however long it takes."""
        began = time.monotonic()
        received = 0
        with serving_small.connected() as client:
            client.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            while chunk := client.recv(2**20):
                received += len(chunk)
                time.sleep(len(chunk) / 20e6)
        assert received > len(PART) * PARTS
        assert time.monotonic() - began > 2


class TestAddress:
    """From where a client asks."""

    def test_forwarded(self, serving_small: Serving) -> None:
        """What a header says of it is not believed: whoever is counted by address could take any."""
        with serving_small.connected() as client:
            client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 10.9.8.7\r\nconnection: close\r\n\r\n")
            answer = read_all(client)
        assert b"127.0.0.1" in answer
        assert b"10.9.8.7" not in answer
