"""What a change of the champion costs: load on a real API while it changes, and while MLflow is away and comes back."""

import argparse
import asyncio
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import httpx
from stand import ROOT, free_port, running_api, wait_until_ready

from appraiser_model import Registry
from appraiser_schema import Alias, MoveKind, example_listing

VERSIONS: Final = 3
CHANGES: Final = 10
CONNECTIONS: Final = 8
PATIENCE_SECONDS: Final = 10.0


@dataclass(slots=True)
class Load:
    """What a load of requests over kept connections got for an answer.

    Attributes:
        answered: Answers by the version that they name.
        failed: What else came, by what it was; each is a request that was lost.
        seconds: Time of each answer. [s]
        ended: Connections that the server closed as it had announced.
    """

    answered: Counter[int] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    ended: int = 0


async def load(port: int, stop: threading.Event, headers: str = "", connections: int = CONNECTIONS) -> Load:
    """Ask for the example house over and over, until told to stop."""
    body = json.dumps(example_listing()).encode()
    head = (
        f"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{headers}"
        f"content-length: {len(body)}\r\n\r\n"
    )
    found = Load()
    await asyncio.gather(*(_keep_asking(port, head.encode() + body, stop, found) for _ in range(connections)))
    return found


async def _keep_asking(port: int, request: bytes, stop: threading.Event, found: Load) -> None:
    while not stop.is_set():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            found.failed[f"not taken: {type(error).__name__}"] += 1
            await asyncio.sleep(0.05)
            continue
        try:
            await _ask_over(reader, writer, request, stop, found)
        except (OSError, asyncio.IncompleteReadError) as error:
            found.failed[f"{type(error).__name__}"] += 1
        finally:
            writer.close()


async def _ask_over(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    request: bytes,
    stop: threading.Event,
    found: Load,
) -> None:
    while not stop.is_set():
        began = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        answer = json.loads(await reader.readexactly(length))
        found.seconds.append(time.perf_counter() - began)
        if head.startswith(b"http/1.1 200"):
            found.answered[int(answer["model"]["version"])] += 1
        else:
            found.failed[f"status {answer['status']} {answer['type']}"] += 1
        if b"connection: close" in head:
            found.ended += 1
            return


def run(workers: int, seconds: float, *, mlflow: bool, folder: Path) -> dict[str, Any]:
    """Load for some seconds, change the champion ten times meanwhile, and count.

    Args:
        workers: Processes of the API.
        seconds: How long the load lasts at least. [s]
        mlflow: Whether a server stands before the registry, which is stopped and started meanwhile.
        folder: Empty; everything is written there.
    """
    registry = make_registry(folder)
    server = _Mlflow(folder, registry.tracking_uri) if mlflow else None
    settings = {
        "APPRAISER_API_WORKERS": str(workers),
        "APPRAISER_API_RUN": str(folder / "run"),
        "APPRAISER_POLL_SECONDS": "1",
        "MLFLOW_TRACKING_URI": server.url if server else registry.tracking_uri,
    }
    try:
        with running_api(folder, settings=settings) as api:
            found, taken = _load_and_change(api.port, registry, server, seconds)
    finally:
        if server:
            server.stop()
    times = sorted(found.seconds)
    return {
        "workers": workers,
        "requests": len(times),
        "changes": taken,
        "failed": sum(found.failed.values()),
        "failures": dict(found.failed),
        "ended": found.ended,
        "unknown_versions": sum(n for version, n in found.answered.items() if not 1 <= version <= VERSIONS),
        "answers_by_version": {str(version): n for version, n in sorted(found.answered.items())},
        "rps": round(len(times) / max(seconds, 1e-9), 1),
        "p50_ms": round(times[len(times) // 2] * 1000, 2),
        "p99_ms": round(times[len(times) * 99 // 100] * 1000, 2),
        "worst_ms": round(times[-1] * 1000, 1),
    }


def _load_and_change(port: int, registry: Registry, server: "_Mlflow | None", seconds: float) -> tuple[Load, int]:
    stop = threading.Event()
    results: list[Load] = []
    asking = threading.Thread(target=lambda: results.append(asyncio.run(load(port, stop))))
    asking.start()
    taken = 0
    try:
        began = time.monotonic()
        for change in range(CHANGES):
            version = (change + 1) % VERSIONS + 1
            if server and change == CHANGES // 2:
                server.stop()
                time.sleep(2)
                server.start()
            registry.move(Alias.CHAMPION, version, kind=MoveKind.MANUAL, who="bench", why="bench")
            taken += _push(port, version)
            time.sleep(max(0.0, began + (change + 1) * seconds / CHANGES - time.monotonic()))
    finally:
        stop.set()
        asking.join()
    return results[0], taken


def _push(port: int, version: int) -> bool:
    """Ask all workers to look, until each of them serves the version."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        told = httpx.post(f"http://127.0.0.1:{port}/admin/reload", timeout=30).json()
        if told["complete"] and all(w["model"] and w["model"]["version"] == version for w in told["workers"]):
            return True
        time.sleep(0.2)
    return False


class _Mlflow:
    """An MLflow server before the registry's database."""

    def __init__(self, folder: Path, tracking_uri: str) -> None:
        self._folder = folder
        self._tracking_uri = tracking_uri
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", self._tracking_uri]
        command += ["--port", str(self._port), "--workers", "1", "--no-serve-artifacts"]
        with (self._folder / "mlflow.log").open("ab") as log:
            # No background jobs run here; their runner costs eight processes.
            environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        wait_until_ready(f"{self.url}/health", self._process)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            os.killpg(self._process.pid, 15)
            self._process.wait(30)
            self._process = None


def make_registry(folder: Path) -> Registry:
    """A registry in a folder with tiny models of a made-up market; version 1 is the champion."""
    tiny = tests_module("tiny_champion")
    registry = Registry(f"sqlite:///{folder / 'mlflow.db'}")
    for seed in range(VERSIONS):
        registry.register(tiny.train_tiny(seed=seed))
    registry.move(Alias.CHAMPION, 1, kind=MoveKind.MANUAL, who="bench", why="bench")
    return registry


def tests_module(name: str) -> ModuleType:
    """A module that tests share."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tests" / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def render(report: Mapping[str, Any]) -> str:
    """The report for people."""
    lines = [f"{'workers':>8}{'requests':>10}{'changes':>9}{'failed':>8}{'p50 ms':>9}{'p99 ms':>9}{'worst ms':>10}"]
    lines += [
        f"{r['workers']:>8}{r['requests']:>10,}{r['changes']:>9}{r['failed']:>8}{r['p50_ms']:>9}{r['p99_ms']:>9}"
        f"{r['worst_ms']:>10}"
        for r in report["runs"]
    ]
    lines.append(f"answers by version: {'; '.join(str(r['answers_by_version']) for r in report['runs'])}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure with one worker and with two; exit code 1 where a request was lost."""
    parser = argparse.ArgumentParser(prog="appraiser bench swap", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--no-mlflow", action="store_true", help="no MLflow server before the registry")
    wish = parser.parse_args(arguments)
    runs = []
    for workers in wish.workers:
        with tempfile.TemporaryDirectory(prefix="appraiser-swap-") as folder:
            runs.append(run(workers, wish.seconds, mlflow=not wish.no_mlflow, folder=Path(folder)))
    report = {"seconds": wish.seconds, "runs": runs}
    print(json.dumps(report, indent=2) if wish.json else render(report))
    good = all(r["failed"] == 0 and r["unknown_versions"] == 0 and r["changes"] == CHANGES for r in runs)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
