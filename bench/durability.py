"""Whether an answer is ever lost: the API killed under load over and over, and its ledger taken away under load."""

import argparse
import asyncio
import json
import os
import pwd
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import httpx
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError
from stand import RunningApi, family, keep_champion, running_api
from swap import tests_module

from appraiser_schema import example_listing
from appraiser_store import Ledger

KILLS: Final = 20
OUTAGE_SECONDS: Final = 10.0
CONNECTIONS: Final = 4
TABLE_ROWS: Final = 200
DRAIN_SECONDS: Final = 120.0
SEED: Final = 14


@dataclass(slots=True)
class Answers:
    """What clients got.

    Attributes:
        prices: Price of each answered house, by request id and row. [USD]
        seconds: When each single house was answered and how long it took, by `time.perf_counter`. [s]
        refused: Answers other than 200.
        broken: Requests that got no whole answer.
    """

    prices: dict[tuple[str, int], float] = field(default_factory=dict)
    seconds: list[tuple[float, float]] = field(default_factory=list)
    refused: int = 0
    broken: int = 0


class Load:
    """Clients over kept connections, in a thread of their own: most ask for a house, one for a table.

    Attributes:
        begun: Set once a table was answered: its process starts with the first one.
    """

    def __init__(self, port: int, answers: Answers, connections: int = CONNECTIONS) -> None:
        self._port = port
        self._answers = answers
        self._connections = connections
        self._stopped = False
        self.begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._ask()))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._thread.join()

    async def _ask(self) -> None:
        house = example_listing()
        columns = {name: [value] * TABLE_ROWS for name, value in house.items()}
        houses = [self._keep_asking("/predict", house) for _ in range(self._connections)]
        await asyncio.gather(*houses, self._keep_asking("/predict/batch", columns))

    async def _keep_asking(self, path: str, body: object) -> None:
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(content)}"
        request = f"{head}\r\n\r\n".encode() + content
        while not self._stopped:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            try:
                while not self._stopped:
                    began = time.perf_counter()
                    writer.write(request)
                    await self._take(reader, began)
            except (OSError, asyncio.IncompleteReadError):
                self._answers.broken += 1
            finally:
                writer.close()

    async def _take(self, reader: asyncio.StreamReader, began: float) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        answer = json.loads(await _read_body(reader, head))
        request_id = head.split(b"x-request-id:", 1)[1].split(b"\r\n", 1)[0].strip().decode()
        if not head.startswith(b"http/1.1 200"):
            self._answers.refused += 1
        elif isinstance(answer["price_usd"], list):
            self._answers.prices |= {(request_id, row): price for row, price in enumerate(answer["price_usd"], start=1)}
            self.begun.set()
        else:
            self._answers.prices[request_id, 0] = answer["price_usd"]
            self._answers.seconds.append((began, time.perf_counter() - began))


async def _read_body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    if b"content-length:" in head:
        return await reader.readexactly(int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]))
    parts = []
    while size := int(await reader.readline(), 16):
        parts.append((await reader.readexactly(size + 2))[:-2])
    await reader.readline()
    return b"".join(parts)


def kill(folder: Path, kills: int, workers: int, seconds: float = 2.5) -> dict[str, Any]:
    """Kill the API under load, all its processes at once, start it again on the same folder, and compare at the end.

    Args:
        folder: With the champion in `models`.
        kills: How often.
        workers: Processes of the API.
        seconds: How long it is under load each time, from half of this to one and a half. [s]
    """
    chance = random.Random(SEED)  # noqa: S311 - when to kill is no secret
    answers = Answers()
    settings = {"APPRAISER_API_WORKERS": str(workers), "APPRAISER_API_RUN": str(folder / "run")}
    for _ in range(kills):
        with running_api(folder, settings=settings) as api, Load(api.port, answers) as load:
            load.begun.wait(DRAIN_SECONDS)
            time.sleep(seconds * chance.uniform(0.5, 1.5))
            _kill_all(api.pid)
    with running_api(folder, settings=settings) as api:
        drained = _drain(api)
    return {"kills": kills, "workers": workers, "drain_s": drained, **_compare(folder / "ledger.db", answers)}


def outage(folder: Path, seconds: float, server: "Postgresql | None") -> dict[str, Any]:
    """Take the ledger away under load and give it back, and compare the times of answers before and meanwhile.

    Args:
        folder: With the champion in `models`.
        seconds: How long it is away; it is there as long before and after. [s]
        server: Stopped and started; None moves a SQLite file.
    """
    answers = Answers()
    url = server.url if server else f"sqlite:///{folder / 'ledger.db'}"
    Ledger(url).close()
    with running_api(folder, settings={"APPRAISER_LEDGER_URL": url}) as api:
        with Load(api.port, answers) as load:
            load.begun.wait(DRAIN_SECONDS)
            began = time.perf_counter()
            time.sleep(seconds)
            went = time.perf_counter()
            with server.away() if server else _moved(folder / "ledger.db"):
                time.sleep(seconds)
                backlog = _metric(api, "appraiser_prediction_backlog_records")
                back = time.perf_counter()
            time.sleep(seconds)
        drained = _drain(api)
    before = [took for at, took in answers.seconds if began <= at < went]
    away = [took for at, took in answers.seconds if went <= at < back]
    return {
        "ledger": "postgresql" if server else "sqlite",
        "away_s": round(back - went, 1),
        "before": _times(before, seconds),
        "away": _times(away, back - went),
        "backlog_records": backlog,
        "drain_s": drained,
        **_compare(url, answers),
    }


def _compare(ledger: Path | str, answers: Answers) -> dict[str, int]:
    """Hold what was answered against what is on record."""
    records = Ledger(ledger if isinstance(ledger, str) else f"sqlite:///{ledger}")
    found: dict[tuple[str, int], float] = {}
    page = records.predictions(limit=50_000)
    while page:
        found |= {(one.request_id, one.row): one.price_usd for one in page}
        page = records.predictions(after=page[-1], limit=50_000)
    records.close()
    return {
        "answered": len(answers.prices),
        "recorded": len(found),
        "lost": len(answers.prices.keys() - found.keys()),
        "different": sum(found.get(key, price) != price for key, price in answers.prices.items()),
        "recorded_for_broken": len({request_id for request_id, _ in found.keys() - answers.prices.keys()}),
        "broken": answers.broken,
        "refused": answers.refused,
    }


def _drain(api: RunningApi) -> float:
    """Wait until nothing waits for the ledger; gives how many seconds that took, infinity where it was too long."""
    began = time.perf_counter()
    empty = 0
    while time.perf_counter() - began < DRAIN_SECONDS:
        # Streams of the dead are found within two seconds.
        empty = empty + 1 if _metric(api, "appraiser_prediction_backlog_bytes") == 0 else 0
        if empty > 30:
            return round(max(0.0, time.perf_counter() - began - 3), 1)
        time.sleep(0.1)
    return float("inf")


def _metric(api: RunningApi, name: str) -> float:
    lines = httpx.get(f"{api.url}/metrics", timeout=30).text.splitlines()
    return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name} "))


def _times(seconds: list[float], during: float) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "rps": round(len(ordered) / during, 1),
        "p50_ms": round(ordered[len(ordered) // 2] * 1000, 3),
        "p99_ms": round(ordered[len(ordered) * 99 // 100] * 1000, 3),
    }


def _kill_all(pid: int) -> None:
    """SIGKILL a process, its children and theirs at once, as a machine that runs out of memory might."""
    for each in family(pid):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


@contextmanager
def _moved(file: Path) -> Iterator[None]:
    aside = file.with_name("aside.db")
    file.rename(aside)
    try:
        yield
    finally:
        aside.rename(file)


class Postgresql:
    """A server of its own in a folder, on a socket; it is started and stopped by its process id."""

    def __init__(self) -> None:
        # The path of a socket must be short.
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self._quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": self._folder}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root.
            owner = pwd.getpwnam("postgres")
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
            self._quiet |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        options = ["-U", "appraiser", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run([_program("initdb"), "-D", self._folder / "data", *options], check=True, **self._quiet)
        self.url = f"postgresql+psycopg://appraiser@/postgres?host={self._folder}"
        self._start()

    @staticmethod
    def installed() -> bool:
        """Whether this machine has one."""
        return bool(_program("initdb") and _program("postgres"))

    @contextmanager
    def away(self) -> Iterator[None]:
        """Stop it, and start it afterwards."""
        self._end()
        try:
            yield
        finally:
            self._start()

    def close(self) -> None:
        """Stop it for good and delete its folder."""
        self._end()
        shutil.rmtree(self._folder)

    def _start(self) -> None:
        options = ["-k", str(self._folder), "-c", "listen_addresses="]
        self._server = subprocess.Popen([_program("postgres"), "-D", self._folder / "data", *options], **self._quiet)
        engine = create_engine(self.url)
        while True:
            try:
                engine.connect().close()
                break
            except SQLAlchemyError:
                time.sleep(0.1)
        engine.dispose()

    def _end(self) -> None:
        self._server.send_signal(signal.SIGINT)
        self._server.wait(30)


def _program(name: str) -> str:
    folders = [os.environ.get("PATH", ""), *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
    return shutil.which(name, path=os.pathsep.join(folders)) or ""


def render(report: Mapping[str, Any]) -> str:
    """The report for people."""
    lines = [f"{'killed':<28}{'answered':>10}{'recorded':>10}{'lost':>6}{'different':>10}{'refused':>9}{'drain s':>9}"]
    for run in report["kills"]:
        name = f"{run['kills']} times, {run['workers']} worker(s)"
        lines.append(
            f"{name:<28}{run['answered']:>10,}{run['recorded']:>10,}{run['lost']:>6}{run['different']:>10}"
            f"{run['refused']:>9}{run['drain_s']:>9}"
        )
    lines += ["", f"{'ledger away':<28}{'rps':>10}{'p50 ms':>10}{'p99 ms':>10}{'backlog':>10}{'lost':>6}{'drain s':>9}"]
    for run in report["outages"]:
        before, away = run["before"], run["away"]
        name = f"{run['ledger']}, {run['away_s']:g} s"
        lines.append(f"{name + ': before':<28}{before['rps']:>10}{before['p50_ms']:>10}{before['p99_ms']:>10}")
        lines.append(
            f"{'  meanwhile':<28}{away['rps']:>10}{away['p50_ms']:>10}{away['p99_ms']:>10}"
            f"{run['backlog_records']:>10,.0f}{run['lost']:>6}{run['drain_s']:>9}"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Kill, take away, and compare; exit code 1 where an answer is not on record as it was given."""
    parser = argparse.ArgumentParser(prog="appraiser bench durability", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--outage-seconds", type=float, default=OUTAGE_SECONDS, help="0 leaves the ledger alone")
    wish = parser.parse_args(arguments)
    bundle = tests_module("tiny_champion").train_tiny()
    servers: list[Postgresql | None] = []
    if wish.outage_seconds:
        servers = [None, *([Postgresql()] if Postgresql.installed() else [])]
    report: dict[str, Any] = {"kills": [], "outages": []}
    try:
        for workers in wish.workers:
            with _folder(bundle) as folder:
                report["kills"].append(kill(folder, wish.kills, workers))
        for server in servers:
            with _folder(bundle) as folder:
                report["outages"].append(outage(folder, wish.outage_seconds, server))
    finally:
        for server in servers:
            if server:
                server.close()
    print(json.dumps(report, indent=2) if wish.json else render(report))
    runs = [*report["kills"], *report["outages"]]
    return 0 if all(run["lost"] == run["different"] == run["refused"] == 0 for run in runs) else 1


@contextmanager
def _folder(bundle: Any) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="appraiser-durability-") as name:
        keep_champion(bundle, Path(name) / "models")
        yield Path(name)


if __name__ == "__main__":
    sys.exit(main())
