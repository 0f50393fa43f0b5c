"""A real API in processes of its own, and clients that are rude to it, for tests."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from appraiser_model import Bundle
from appraiser_schema import ModelVersion, example_listing


@dataclass
class ApiProcess:
    """An API that runs.

    Attributes:
        process: The process that was started; workers are its children.
        port: Where it listens.
        log: File of its log.
    """

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def get(self, path: str) -> httpx2.Response:
        """Ask something."""
        return httpx2.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False, timeout=30)

    def post(self, path: str, **body: Any) -> httpx2.Response:
        """Send something."""
        return httpx2.post(f"http://127.0.0.1:{self.port}{path}", trust_env=False, timeout=60, **body)

    def send(self, *parts: bytes, pause: float = 0.0) -> bytes:
        """Send bytes part by part, and give all that comes back until the connection ends."""
        received = b""
        try:
            opened = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        except OSError:
            return b""
        with opened as connection:
            try:
                for part in parts:
                    connection.sendall(part)
                    time.sleep(pause)
            except OSError:
                pass  # it was closed meanwhile, as it should be
            try:
                while chunk := connection.recv(65_536):
                    received += chunk
            except OSError:
                pass
        return received

    def stop(self) -> int:
        """Tell it to stop, and give its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def api_process(folder: Path, tracking_uri: str, settings: Mapping[str, str] | None = None) -> Iterator[ApiProcess]:
    """Start an API whose state lies in a folder, wait until it is ready, and end it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "APPRAISER_API_PORT": str(port),
        "APPRAISER_API_RUN": str(folder / "run"),
        "APPRAISER_MODEL_CACHE": str(folder / "models"),
        "APPRAISER_PREDICTION_LOG": str(folder / "predictions"),
        "APPRAISER_BATCH_FOLDER": str(folder / "spool"),
        "APPRAISER_LEDGER_URL": f"sqlite:///{folder / 'ledger.db'}",
        "APPRAISER_POLL_SECONDS": "0.5",
        "MLFLOW_TRACKING_URI": tracking_uri,
        **(settings or {}),
    }
    log = folder / "api.log"
    with log.open("ab") as out:
        process = subprocess.Popen([sys.executable, "-m", "appraiser_api"], env=environment, cwd=folder, stderr=out)
    api = ApiProcess(process, port, log)
    try:
        _wait_until_ready(api)
        yield api
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def keep_champion(bundle: Bundle, facts: ModelVersion, cache: Path) -> None:
    """Put a model where the API looks first, so that it serves before it has asked the registry."""
    bundle.save(cache / bundle.digest)
    pointer = {"digest": bundle.digest, "facts": facts.model_dump(mode="json")}
    (cache / "champion.json").write_text(json.dumps(pointer))


def _wait_until_ready(api: ApiProcess) -> None:
    deadline = time.monotonic() + 120
    while True:
        if b" 200 " in api.send(b"GET /health/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")[:20]:
            return
        assert api.process.poll() is None, api.log.read_text()
        assert time.monotonic() < deadline, api.log.read_text()
        time.sleep(0.1)


@dataclass
class Load:
    """What a load got for an answer.

    Attributes:
        answered: Answers by the version that they name.
        failed: Whatever else came: each is a request that was lost.
    """

    answered: Counter[int] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    stopped: bool = False

    async def ask(self, port: int, connections: int) -> None:
        """Ask for the example house over kept connections, until stopped or until nobody listens any more."""
        body = json.dumps(example_listing()).encode()
        head = f"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        request = head.encode() + b"\r\n" + body
        await asyncio.gather(*(self._keep_asking(port, request) for _ in range(connections)))

    async def _keep_asking(self, port: int, request: bytes) -> None:
        while not self.stopped:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                return  # nothing was sent yet
            try:
                closed = False
                while not closed and not self.stopped:
                    writer.write(request)
                    closed = await self._take(reader)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.failed[type(error).__name__] += 1
            finally:
                writer.close()

    async def _take(self, reader: asyncio.StreamReader) -> bool:
        """Take one answer; gives whether the connection ends with it."""
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        answer = json.loads(await reader.readexactly(length))
        if head.startswith(b"http/1.1 200"):
            self.answered[answer["model"]["version"]] += 1
        else:
            self.failed[answer["type"]] += 1
        return b"connection: close" in head
