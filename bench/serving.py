"""Single houses over HTTP: ours beside its peers, every server with one worker, in interleaved rounds."""

import argparse
import contextlib
import json
import math
import os
import pickle
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from stand import (
    clean_listings,
    family,
    free_port,
    keep_champion,
    running_api,
    sample_file,
    train_champion,
    wait_until_ready,
)

from appraiser_model import Bundle
from appraiser_schema import Listing, example_listing
from appraiser_schema.columns import listing_columns

HERE: Final = Path(__file__).resolve().parent
ROUNDS: Final = 9
"""The speed of a shared machine changes from second to second: only what was measured side by side can be compared."""

CONNECTIONS: Final = (1, 32)
CORES: Final = sorted(os.sched_getaffinity(0))
OURS: Final = "ours"
PEERS: Final[Mapping[str, tuple[str, ...]]] = {
    "bentoml": ("bentoml", "xgboost-cpu", "numpy"),
    "mlserver": ("mlserver", "mlserver-xgboost"),
}
"""What is installed for those that get an environment of their own."""

_PATIENCE_SECONDS: Final = 20.0
"""How much longer than it should a round may last."""


@dataclass(slots=True)
class Server:
    """One that runs.

    Attributes:
        rounds: What each round measured, by number of connections.
    """

    port: int
    path: str
    body: Path
    pid: int
    start_to_ready_s: float
    rounds: dict[int, list[dict[str, float]]] = field(default_factory=lambda: {each: [] for each in CONNECTIONS})

    def figures(self) -> dict[str, float | None]:
        """Medians over the rounds."""
        found: dict[str, float | None] = {"start_to_ready_s": self.start_to_ready_s, "rss_mb": memory_mb(self.pid)}
        for connections, rounds in self.rounds.items():
            found[f"rps_{connections}"] = statistics.median(one["rps"] for one in rounds)
        for name in ("p50_ms", "p99_ms"):
            found[f"{name}_32"] = statistics.median(one[name] for one in self.rounds[32])
        found["failed"] = sum(one["failed"] for rounds in self.rounds.values() for one in rounds)
        return found

    def share_of(self, other: "Server", connections: int) -> float:
        """Requests answered by those that another answers, each round by itself; the median over the rounds."""
        pairs = zip(self.rounds[connections], other.rounds[connections], strict=False)
        return statistics.median(mine["rps"] / theirs["rps"] for mine, theirs in pairs)


class Stage:
    """Prepares and starts each server.

    Args:
        folder: For models, bodies and logs of this run.
        environments: Where environments of peers are kept from one run to the next.
    """

    def __init__(self, folder: Path, environments: Path, running: ExitStack) -> None:
        self._folder, self._environments, self._running = folder, environments, running
        listings = clean_listings(sample_file())
        bundle = train_champion(listings)
        self._bundle: Bundle = bundle
        self._listings = listings
        self._listing = self._write("listing.json", example_listing())
        keep_champion(bundle, folder / "models")
        self._bundle_folder = folder / "models" / bundle.digest

    def start(self, name: str) -> Server:
        """Start a server and wait until it is ready.

        Raises:
            RuntimeError: It cannot be started, and why.
        """
        starts: dict[str, Callable[[], Server]] = {
            OURS: self._ours,
            "fastapi_no_model": self._no_model,
            "original": self._original,
            "mlflow_serve": self._mlflow,
            "bentoml": self._bentoml,
            "mlserver": self._mlserver,
        }
        return starts[name]()

    def _ours(self) -> Server:
        api = self._running.enter_context(running_api(self._folder, pinned([sys.executable, "-m", "appraiser_api"])))
        # Answered once XGBoost is there, which is loaded in the background: it would disturb the first round.
        httpx.post(f"{api.url}/explain", json=example_listing(), timeout=60).raise_for_status()
        return Server(api.port, "/predict", self._listing, api.pid, api.start_to_ready_s)

    def _no_model(self) -> Server:
        return self._run(uvicorn("no_model"), "/predict", self._listing, "/ready")

    def _original(self) -> Server:
        file = self._folder / "original.pickle"
        file.write_bytes(pickle.dumps(original_model(self._listings, self._bundle)))
        house = {name: example_listing()[name] for name in ("bed", "bath", "acre_lot", "house_size")}
        body = self._write("original.json", house)
        return self._run(uvicorn("original"), "/predict", body, "/ready", environment={"BENCH_PICKLE": str(file)})

    def _mlflow(self) -> Server:
        from appraiser_model.mlflow_model import write_mlflow_model  # noqa: PLC0415

        folder = self._folder / "mlflow-model"
        write_mlflow_model(self._bundle, folder, "m-0123456789abcdef0123456789abcdef", "0" * 32)
        body = self._write("mlflow.json", {"dataframe_records": [example_listing()]})
        command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(folder), "--env-manager", "local"]
        # It starts uvicorn by its name.
        environment = {"PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))}
        whole = [*command, "--workers", "1", "-p", "{port}"]
        return self._run(whole, "/invocations", body, "/ping", environment=environment)

    def _bentoml(self) -> Server:
        python = self._environment("bentoml")
        command = [str(python), "-m", "bentoml", "serve", "bento:Trees", "--port", "{port}"]
        body = self._write("bento.json", {"features": self._features()})
        environment = {
            "BENCH_TREES": str(self._bundle_folder / "model.ubj"),
            "BENTOML_HOME": str(self._folder / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
        }
        return self._run(command, "/predict", body, "/readyz", environment=environment)

    def _mlserver(self) -> Server:
        python = self._environment("mlserver")
        folder = self._folder / "mlserver"
        folder.mkdir()
        parameters = {"uri": str(self._bundle_folder / "model.ubj")}
        model = {"name": "house", "implementation": "mlserver_xgboost.XGBoostModel", "parameters": parameters}
        (folder / "model-settings.json").write_text(json.dumps(model))
        ports: dict[str, Any] = {
            "http_port": free_port(),
            "grpc_port": free_port(),
            "metrics_port": free_port(),
            "host": "127.0.0.1",
        }
        (folder / "settings.json").write_text(json.dumps({**ports, "parallel_workers": 0, "debug": False}))
        (row,) = self._features()
        entry = {"name": "features", "shape": [1, len(row)], "datatype": "FP32", "data": row}
        body = self._write("mlserver.json", {"inputs": [entry]})
        command = [str(python.parent / "mlserver"), "start", str(folder)]
        return self._run(command, "/v2/models/house/infer", body, "/v2/health/ready", port=ports["http_port"])

    def _features(self) -> list[list[float]]:
        """Of the example, with 0 where one is unknown: JSON has no word for it."""
        listing = Listing.model_validate(example_listing())
        rows: list[list[float]] = self._bundle.model.encoder.transform(listing_columns([listing])).tolist()
        return [[0.0 if math.isnan(value) else value for value in row] for row in rows]

    def _environment(self, name: str) -> Path:
        """Python of an environment with that peer; it is made at the first use, from the site's own package index."""
        folder = self._environments / name
        python = folder / "bin" / "python"
        made = folder / "complete"
        if not made.exists():
            own = HERE.parent / ".uv" / "bin" / "uv"
            uv = str(own) if own.exists() else "uv"
            say(f"installing {name} below {folder.name!r} in the state folder")
            base = Path(sys.base_prefix) / "bin" / "python3"
            _install([uv, "venv", "--clear", "--python", str(base), str(folder)])
            _install([uv, "pip", "install", "--python", str(python), *PEERS[name]])
            made.touch()
        return python

    def _write(self, name: str, content: Any) -> Path:
        file = self._folder / name
        file.write_text(json.dumps(content))
        return file

    def _run(
        self,
        command: Sequence[str],
        path: str,
        body: Path,
        ready: str,
        *,
        environment: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> Server:
        port = port or free_port()
        whole = pinned([part.replace("{port}", str(port)) for part in command])
        began = time.perf_counter()
        log = self._folder / f"{port}.log"
        process = self._running.enter_context(_process(whole, log, environment or {}))
        try:
            wait_until_ready(f"http://127.0.0.1:{port}{ready}", process)
        except RuntimeError as error:
            raise RuntimeError(f"{error}: {last_line(log)}") from error
        return Server(port, path, body, process.pid, time.perf_counter() - began)


@contextmanager
def _process(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Any:
    """A server and all that it starts; both are ended."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
            cwd=HERE / "peers",
            start_new_session=True,
        )
    try:
        yield process
    finally:
        everyone = family(process.pid)
        _signal(everyone, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        _signal(everyone, signal.SIGKILL)
        process.wait()


def _signal(pids: Sequence[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _install(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["uv failed"]
        raise RuntimeError(f"it cannot be installed: {lines[-1].strip()[:200]}")


def pinned(command: Sequence[str]) -> list[str]:
    """The command on the last processor alone; the one that asks has the first."""
    return ["taskset", "-c", str(CORES[-1]), *command] if len(CORES) > 1 else list(command)


def uvicorn(module: str) -> list[str]:
    """A server of one worker, with the fast loop and parser, and without a line per request."""
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", "{port}", *options]


def original_model(listings: Any, champion: Bundle) -> Any:
    """The original's model on its four features, with as many trees of the same depth as the champion's."""
    import xgboost  # noqa: PLC0415

    depth = champion.card.config.max_depth
    model = xgboost.XGBRegressor(
        n_estimators=champion.model.rounds, learning_rate=0.08, max_depth=depth, subsample=0.9, colsample_bytree=0.9,
        random_state=31102025,
    )  # fmt: skip
    names = ["bed", "bath", "acre_lot", "house_size"]
    return model.fit(listings.select(names).fill_null(strategy="mean").to_pandas(), listings["price"].to_numpy())


def memory_mb(pid: int) -> float:
    """Resident memory of a process and of all that it started, in MiB."""
    kilobytes = 0
    for one in family(pid):
        lines = Path(f"/proc/{one}/status").read_text(encoding="utf-8").splitlines()
        kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return kilobytes / 1024


def last_line(log: Path) -> str:
    """The last that a server said, shortened."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["it said nothing"]
    return lines[-1].strip()[:200]


def ask(server: Server, connections: int, seconds: float) -> None:
    """One round of one server, from another process.

    Raises:
        RuntimeError: It does not answer.
    """
    arguments = [str(server.port), server.path, str(server.body), str(connections), str(seconds)]
    command = [sys.executable, str(HERE / "load.py"), *arguments]
    if len(CORES) > 1:
        command = ["taskset", "-c", str(CORES[0]), *command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + _PATIENCE_SECONDS)
    except subprocess.SubprocessError as error:
        raise RuntimeError(f"it does not answer {connections} connections at a time") from error
    server.rounds[connections].append(json.loads(done.stdout))


def measure(names: Sequence[str], rounds: int, seconds: float, environments: Path) -> dict[str, Any]:
    """Start them one after the other, then let each answer in turn, again and again."""
    found: dict[str, Any] = dict.fromkeys(names)
    missing: dict[str, str] = {}
    with ExitStack() as running, tempfile.TemporaryDirectory(prefix="bench-serving-") as folder:
        stage = Stage(Path(folder), environments, running)
        servers: dict[str, Server] = {}
        for name in names:
            say(f"starting {name}")
            try:
                servers[name] = stage.start(name)
            except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
                missing[name] = str(error)
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for connections in CONNECTIONS:
                for name, server in tuple(servers.items()):
                    try:
                        ask(server, connections, seconds)
                    except RuntimeError as error:
                        missing[name] = str(error)
                        del servers[name]
        found.update({name: server.figures() for name, server in servers.items()})
        ours = servers.get(OURS)
        shares = {
            name: {f"rps_{connections}": ours.share_of(server, connections) for connections in CONNECTIONS}
            for name, server in servers.items()
            if ours is not None and server is not ours
        }
    return {"servers": found, "shares": shares, "missing": missing}


def table(result: Mapping[str, Any]) -> str:
    """The figures for people, and what share of each peer's requests ours answers."""
    servers = result["servers"]
    head = f"{'':18}{'req/s 1':>9}{'req/s 32':>9}{'p50 ms':>8}{'p99 ms':>8}{'ready s':>9}{'MiB':>7}"
    lines = [f"{head}{'ours x 1':>10}{'x 32':>8}"]
    for name, row in servers.items():
        if row is None:
            lines.append(f"{name:18}{result['missing'].get(name, 'not measured')}")
            continue
        shares = result["shares"].get(name, {}).values()
        lines.append(
            f"{name:18}{row['rps_1']:9,.0f}{row['rps_32']:9,.0f}{row['p50_ms_32']:8.2f}{row['p99_ms_32']:8.2f}"
            f"{row['start_to_ready_s']:9.1f}{row['rss_mb']:7.0f}"
            + "".join(f"{share:{width}.2f}" for share, width in zip(shares, (10, 8), strict=False))
        )
        if row["failed"]:
            lines.append(f"  {row['failed']:,.0f} answers of {name} were not 200")
    return "\n".join(lines)


def say(text: str) -> None:
    """Progress, apart from the results."""
    sys.stderr.write(f"{text}\n")


def main() -> None:
    """Measure and print."""
    everyone = (OURS, "fastapi_no_model", "original", "mlflow_serve", *PEERS)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each of them answers")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of each round")
    parser.add_argument("--servers", default=",".join(everyone), help="which ones, with commas between")
    parser.add_argument("--var", type=Path, default=Path(os.environ.get("APPRAISER_VAR", HERE.parent / "var")))
    arguments = parser.parse_args()
    names = arguments.servers.split(",")
    if unknown := [name for name in names if name not in everyone]:
        parser.error(f"there is no server {unknown[0]!r}; there are {', '.join(everyone)}")
    # Servers are ended however this ends.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    result = measure(names, arguments.rounds, arguments.seconds, arguments.var.resolve() / "bench" / "peers")
    print(json.dumps(result) if arguments.json else table(result))


if __name__ == "__main__":
    main()
