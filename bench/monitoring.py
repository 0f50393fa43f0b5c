"""Every query of every dashboard, asked of a real Prometheus over the real services that this machine has.

Feed, pipeline with its exporter, MLflow's server, API with two workers, Airflow with a run that succeeds and one that
fails, SeaweedFS, PostgreSQL with its exporter, Prometheus and Alertmanager; three batches go through the pipeline, and
houses are asked about and sold. What Airflow sends is taken by a stand-in for statsd-exporter.
"""

import argparse
import datetime as dt
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import httpx
import yaml
from stand import ROOT, free_port, running_api

from appraiser_cli.monitoring.dashboards import DASHBOARDS
from appraiser_cli.monitoring.exported import third_parties
from appraiser_cli.monitoring.queries import asked
from appraiser_schema import example_listing

# What the tests of the same things stand on.
sys.path.insert(0, str(ROOT / "tests"))
monitored, pipeline_stand, prometheus_stand, statsd_stand = map(
    import_module, ("monitored", "pipeline_stand", "prometheus_stand", "statsd_stand")
)

PATIENCE_SECONDS: Final = 120.0
"""The API tells the live error once a minute."""

_START_SECONDS: Final = 240.0
"""A service takes 25 s at most on an idle machine; this one may be busy."""

_SALES: Final = 20

_JOBS: Final = {
    "airflow": "airflow",
    "cloudnative-pg": "cluster",
    "kubelet": "cluster",
    "mlflow": "mlflow",
    "postgres-exporter": "postgres",
    "seaweedfs": "storage",
}
"""The job that asks each program which is not ours; Prometheus and Alertmanager are always there."""


_DAGS: Final = """
from airflow.sdk import dag, task


def made(name, fails):
    @dag(dag_id=name, schedule="@once", catchup=False)
    def one():
        @task
        def step():
            if fails:
                raise ValueError("on purpose")

        step()

    return one()


good, bad = made("good", False), made("bad", True)
"""
"""A DAG whose only run succeeds, and one whose only run fails."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the queries of a dashboard gave.

    Attributes:
        dashboard: Its title.
        panels: How many it has.
        queries: How many they ask.
        with_data: How many gave series.
        elsewhere: Queries of programs that this machine does not have.
        empty: Queries that should have given something.
    """

    dashboard: str
    panels: int
    queries: int
    with_data: int
    elsewhere: list[str]
    empty: list[str]


def main() -> int:
    """Start everything, ask everything; exit code 1 where a query that could have data has none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="Write JSON, for programs.")
    options = parser.parse_args()
    # Ended from outside, it ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="appraiser-monitoring-") as folder, ExitStack() as stack:
        found, jobs = run(Path(folder), stack)
    report = {
        "seconds": round(time.perf_counter() - started, 1),
        "services": jobs,
        "dashboards": [asdict(each) for each in found],
    }
    sys.stdout.write((json.dumps(report, indent=2) if options.json else render(found, jobs)) + "\n")
    return 1 if any(each.empty for each in found) else 0


def run(folder: Path, stack: ExitStack) -> tuple[list[Found], list[str]]:
    """Start the services, give them something to do, and ask."""
    ledger = f"sqlite:///{folder / 'ledger.db'}"
    mlflow = stack.enter_context(running_mlflow(folder / "mlflow"))
    feed = stack.enter_context(pipeline_stand.running_feed({"APPRAISER_FEED_ROWS": "3000"}))
    known = {"APPRAISER_LEDGER_URL": ledger, "APPRAISER_LAKE": str(folder / "lake"), "MLFLOW_TRACKING_URI": mlflow}
    run_pipeline({**known, "APPRAISER_FEED_URL": feed})
    exporter = stack.enter_context(monitored.running_exporter(known))
    (folder / "api").mkdir()
    settings = {"APPRAISER_LEDGER_URL": ledger, "MLFLOW_TRACKING_URI": mlflow, "APPRAISER_POLL_SECONDS": "1"}
    settings |= {"APPRAISER_API_WORKERS": "2", "APPRAISER_API_RUN": str(folder / "api" / "run")}
    api = stack.enter_context(running_api(folder / "api", settings=settings))
    addresses = {"api": _host(api.url), "feed": _host(feed), "pipeline": exporter, "mlflow": _host(mlflow)}
    storage = stack.enter_context(running_storage(folder / "storage"))
    if storage:
        addresses["storage"] = storage[1]
    database = stack.enter_context(running_database())
    if database:
        addresses["postgres"] = database
    addresses["airflow"] = stack.enter_context(running_airflow(folder / "airflow"))
    watch = stack.enter_context(prometheus_stand.watching(folder, addresses))
    return ask(watch, set(addresses), api.url, mlflow, storage and storage[0]), sorted(addresses)


def ask(watch: Any, jobs: AbstractSet[str], api: str, mlflow: str, bucket: str | None) -> list[Found]:
    """Ask every query until it gives something, with load meanwhile."""
    queries = {query.text for board in DASHBOARDS for panel in board.panels for query in panel.queries}
    elsewhere = {text for text in queries if is_elsewhere(text, jobs)}
    waiting = queries - elsewhere
    sell(api)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while waiting and time.monotonic() < deadline:
        load(api, mlflow, bucket)
        waiting = {text for text in waiting if not watch.ask(text)}
    return [_found(board, elsewhere, waiting) for board in DASHBOARDS]


def is_elsewhere(text: str, jobs: AbstractSet[str]) -> bool:
    """Whether each metric that a query could take is of a program that does not run here."""
    absent = {
        name
        for party in third_parties(ROOT)
        if _JOBS.get(party.name, "prometheus") not in jobs | {"prometheus"}
        for name in party.metrics
    }
    return set(asked(text).labels) <= absent


def _found(board: Any, elsewhere: set[str], empty: set[str]) -> Found:
    texts = [query.text for panel in board.panels for query in panel.queries]
    away, none = [t for t in texts if t in elsewhere], [t for t in texts if t in empty]
    return Found(board.title, len(board.panels), len(texts), len(texts) - len(away) - len(none), away, none)


def run_pipeline(variables: Mapping[str, str]) -> None:
    """Three batches, from the feed to a decision."""
    command = [sys.executable, "-m", "appraiser_pipeline", "run", "--batches", "3"]
    subprocess.run(command, env={**os.environ, **variables}, check=True, stdout=subprocess.DEVNULL)


def load(api: str, mlflow: str, bucket: str | None) -> None:
    """Some questions to everybody, among them one that is refused."""
    with httpx.Client(trust_env=False, timeout=60) as client:
        for size in range(60):
            client.post(f"{api}/predict", json={**example_listing(), "house_size": 900.0 + size}).raise_for_status()
        client.post(f"{api}/predict", content=b"x" * (2 << 20))
        client.get(f"{mlflow}/api/2.0/mlflow/experiments/search?max_results=1").raise_for_status()
        if bucket:
            client.put(f"{bucket}/lake/try", content=b"x")
            client.get(f"{bucket}/lake/try")
    time.sleep(0.5)


def sell(api: str) -> None:
    """Houses that were appraised, and sold for a little less."""
    with httpx.Client(base_url=api, trust_env=False, timeout=60) as client:
        for _ in range(_SALES):
            answer = client.post("/predict", json=example_listing()).raise_for_status().json()
            sale = {
                "request_id": answer["request_id"],
                "sold_price_usd": 0.9 * answer["price_usd"],
                "sold_at": dt.datetime.now(dt.UTC).date().isoformat(),
            }
            client.post("/feedback", json=sale).raise_for_status()


@contextmanager
def running_mlflow(folder: Path) -> Iterator[str]:
    """MLflow's server over SQLite, telling its metrics; its address."""
    folder.mkdir()
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", url.rsplit(":", 1)[1]),
        *("--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
        *("--default-artifact-root", str(folder / "artifacts"), "--no-serve-artifacts"),
        *("--expose-prometheus", str(folder / "prometheus")),
    ]
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with _running(command, f"{url}/health", folder, environment):
        yield url


@contextmanager
def running_airflow(folder: Path) -> Iterator[str]:
    """Airflow with the cluster's settings of its metrics; the address where Prometheus asks for them."""
    (folder / "dags").mkdir(parents=True)
    (folder / "dags" / "try.py").write_text(_DAGS)
    values = yaml.safe_load((ROOT / "gitops/services/airflow/values.yaml").read_text(encoding="utf-8"))
    port = free_port()
    sections: dict[str, dict[str, str]] = {
        "core": {"dags_folder": str(folder / "dags"), "load_examples": "False", "executor": "LocalExecutor"},
        "database": {"sql_alchemy_conn": f"sqlite:///{folder / 'airflow.db'}"},
        "api": {"host": "127.0.0.1", "port": str(port), "workers": "1"},
        "metrics": values["config"]["metrics"],
    }
    sections["core"] |= {"dags_are_paused_at_creation": "False", "parallelism": "2"}
    sections["core"]["execution_api_server_url"] = f"http://127.0.0.1:{port}/execution/"
    with statsd_stand.statsd_exporter() as exporter:
        sections["metrics"] |= {"statsd_host": "127.0.0.1", "statsd_port": str(exporter.statsd)}
        settings = {
            f"AIRFLOW__{section.upper()}__{option.upper()}": value
            for section, options in sections.items()
            for option, value in options.items()
        }
        settings |= {"AIRFLOW_HOME": str(folder), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        standalone = [sys.executable, "-m", "airflow", "standalone"]
        with _running(standalone, f"http://127.0.0.1:{port}/api/v2/monitor/health", folder, settings):
            yield f"127.0.0.1:{exporter.metrics}"


@contextmanager
def running_storage(folder: Path) -> Iterator[tuple[str, str] | None]:
    """SeaweedFS: its S3 endpoint and the address of its metrics; None where it is not installed."""
    weed = shutil.which("weed") or shutil.which("weed", path=str(Path(sys.executable).parent))
    if weed is None:
        yield None
        return
    folder.mkdir()
    s3, metrics, *others = (free_port() for _ in range(6))
    names = ("master.port", "volume.port", "filer.port", "admin.port")
    values = {"s3.port": s3, "metricsPort": metrics, **dict(zip(names, others, strict=True))}
    values |= {"s3.port.iceberg": 0, "s3.port.lance": 0}
    line = ["mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-bucket=mlflow,lake", "-webdav=false"]
    line += ["-admin.ui=false", "-master.telemetry=false", *(f"-{name}={value}" for name, value in values.items())]
    with _running([weed, *line], f"http://127.0.0.1:{s3}", folder):
        yield f"http://127.0.0.1:{s3}", f"127.0.0.1:{metrics}"


@contextmanager
def running_database() -> Iterator[str | None]:
    """PostgreSQL and its exporter: the address of the exporter; None where either is not installed."""
    places = os.pathsep.join([os.environ["PATH"], *map(str, Path("/usr/lib/postgresql").glob("*/bin"))])
    programs = [shutil.which(name, path=places) for name in ("initdb", "postgres", "prometheus-postgres-exporter")]
    if None in programs:
        yield None
        return
    initdb, postgres, exporter = (str(program) for program in programs)
    port, told = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        folder = Path(name)
        owned: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root.
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            owned |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        subprocess.run(
            [initdb, "-D", folder / "data", "-U", "monitor", "-A", "trust", "--no-sync"], check=True, **owned
        )
        options = ["-k", name, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        server = subprocess.Popen([postgres, "-D", folder / "data", *options], **owned)
        source = {"DATA_SOURCE_NAME": f"postgresql://monitor@127.0.0.1:{port}/postgres?sslmode=disable"}
        try:
            command = [exporter, f"--web.listen-address=127.0.0.1:{told}"]
            with _running(command, f"http://127.0.0.1:{told}/metrics", None, source):
                yield f"127.0.0.1:{told}"
        finally:
            server.terminate()
            server.wait(30)


@contextmanager
def _running(
    command: Sequence[str], ready: str, folder: Path | None, variables: Mapping[str, str] | None = None
) -> Iterator[None]:
    """A process, from the moment at which it answers; its log is in the folder."""
    log = (folder / "log").open("wb") if folder else subprocess.DEVNULL
    environment = {**os.environ, **(variables or {})}
    # A session of its own, so that what it has started ends with it.
    process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        try:
            monitored.wait_until_answers(ready, process, _START_SECONDS)
        except AssertionError as error:
            said = (folder / "log").read_text(errors="replace")[-2000:] if folder else ""
            raise SystemExit(f"{error}; its last lines:\n{said}") from error
        yield
    finally:
        _end(process)
        if folder:
            log.close()  # type: ignore[union-attr]


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and whatever it has started: all of its session, for Airflow's parts lead groups of their own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in _session(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + 30
        while _session(process.pid) and time.monotonic() < deadline:
            process.poll()
            time.sleep(0.1)


def _session(leader: int) -> list[int]:
    """The processes of a session."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            if os.getsid(int(folder.name)) == leader:
                found.append(int(folder.name))
    return found


def _host(url: str) -> str:
    return url.removeprefix("http://")


def render(found: Sequence[Found], jobs: Sequence[str]) -> str:
    """The report for people."""
    lines = [f"Prometheus asked {', '.join(jobs)}, Alertmanager and itself.", ""]
    lines.append(f"{'dashboard':38}{'panels':>8}{'queries':>9}{'with data':>11}{'elsewhere':>11}{'empty':>7}")
    lines += [
        f"{f.dashboard:38}{f.panels:>8}{f.queries:>9}{f.with_data:>11}{len(f.elsewhere):>11}{len(f.empty):>7}"
        for f in found
    ]
    lines += ["", "Elsewhere: of programs that this machine does not have."]
    lines += [f"  {text}" for f in found for text in f.elsewhere]
    lines += [f"empty: {text}" for f in found for text in f.empty]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
