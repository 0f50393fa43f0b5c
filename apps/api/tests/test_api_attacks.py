"""Clients that are slow, endless or make no sense, against the real server."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from api_process import ApiProcess, api_process, keep_champion

from appraiser_model import Bundle, Registry
from appraiser_schema import example_listing

HEAD = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


@pytest.fixture(scope="module")
def api(
    tmp_path_factory: pytest.TempPathFactory, first_registry: Path, bundles: tuple[Bundle, Bundle]
) -> Iterator[ApiProcess]:
    """An API that is impatient."""
    folder = tmp_path_factory.mktemp("attacked")
    registry = Registry(f"sqlite:///{first_registry}")
    keep_champion(bundles[0], registry.version(1), folder / "models")
    settings = {"APPRAISER_API_HEAD_SECONDS": "1", "APPRAISER_API_BODY_SECONDS": "1", "APPRAISER_API_CONNECTIONS": "50"}
    with api_process(folder, registry.tracking_uri, settings) as api:
        # XGBoost comes in the background, and is no part of what an attack costs.
        httpx.post(f"http://127.0.0.1:{api.port}/explain", json=example_listing(), timeout=60).raise_for_status()
        yield api


def resident_mebibytes(api: ApiProcess) -> float:
    """Memory of the server."""
    pages = int(Path(f"/proc/{api.process.pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def settled_mebibytes(api: ApiProcess) -> float:
    """The same, once what the server brings in the background is there: libraries of the registry and of the trees."""
    seen = [resident_mebibytes(api)]
    while len(seen) < 60 and (len(seen) < 4 or max(seen[-4:]) - min(seen[-4:]) > 1):
        time.sleep(0.5)
        seen.append(resident_mebibytes(api))
    return seen[-1]


class TestSlow:
    """Who sends slowly is not waited for."""

    def test_head(self, api: ApiProcess) -> None:
        """A head that dribbles is refused after a second or two, however often it sends."""
        began = time.monotonic()
        answer = api.send(*[bytes([byte]) for byte in HEAD], pause=0.1)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"urn:appraiser:problem:slow-head" in answer
        assert time.monotonic() - began < 10

    def test_silence(self, api: ApiProcess) -> None:
        """A connection on which nothing comes is closed likewise."""
        assert api.send().startswith(b"HTTP/1.1 408")

    def test_body(self, api: ApiProcess) -> None:
        """A body that dribbles is refused with a problem document, and the connection ends."""
        answer = api.send(HEAD + b"content-length: 100\r\n\r\n", *[b" "] * 30, pause=0.1)
        head, body = answer.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 408")
        assert b"connection: close" in head.lower()
        assert json.loads(body)["type"] == "urn:appraiser:problem:slow-body"


class TestEndless:
    """Who sends without end does not fill the memory."""

    def test_head(self, api: ApiProcess) -> None:
        """A head without end is refused."""
        answer = api.send(HEAD, *[b"x-more: " + b"y" * 8000 + b"\r\n"] * 100)
        assert answer.startswith(b"HTTP/1.1 431") or answer == b""

    def test_200_megabytes(self, api: ApiProcess) -> None:
        """A body of 200 MB is refused at its head, and of one that hides its length a megabyte is kept."""
        before = settled_mebibytes(api)
        declared = api.send(HEAD + b"content-length: 200000000\r\nconnection: close\r\n\r\n")
        assert declared.startswith(b"HTTP/1.1 413")
        part = b"%x\r\n" % 2**20 + b" " * 2**20 + b"\r\n"
        hidden = api.send(HEAD + b"transfer-encoding: chunked\r\n\r\n", *[part] * 200)
        assert hidden.startswith(b"HTTP/1.1 413") or hidden == b""
        assert settled_mebibytes(api) - before < 100

    def test_connections(self, api: ApiProcess) -> None:
        """More connections than may be are refused, and those of before go on."""
        import socket

        opened = [socket.create_connection(("127.0.0.1", api.port), timeout=10) for _ in range(60)]
        try:
            assert opened[-1].recv(12) == b"HTTP/1.1 503"
        finally:
            for connection in opened:
                connection.close()
        time.sleep(0.2)
        assert api.get("/health/live").status_code == 200


class TestSenseless:
    """What is no HTTP, or more than one request at a time."""

    @pytest.mark.parametrize(
        "sent",
        [b"\x16\x03\x01\x02\x00\x01", b"BREW / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\0\xff\r\n\r\n"],
    )
    def test_garbage(self, api: ApiProcess, sent: bytes) -> None:
        """It is refused with 400, and the next one is served."""
        assert api.send(sent).startswith(b"HTTP/1.1 400")
        assert api.get("/health/live").status_code == 200

    def test_pipelined(self, api: ApiProcess) -> None:
        """Requests that are sent at once are answered one by one, in order."""
        body = json.dumps(example_listing()).encode()
        request = HEAD + b"content-length: %d\r\n\r\n" % len(body) + body
        last = b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        answer = api.send(request * 5 + last)
        assert answer.count(b"HTTP/1.1 200") == 6
        assert answer.endswith(b'{"status":"live"}')
