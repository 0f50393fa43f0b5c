"""The whole system as a user starts it: three batches through the real DAG, then a question to the champion."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import psutil
import pytest
from pipeline_stand import settings_in

from appraiser_pipeline.context import Context
from appraiser_schema import Alias, DecisionKind, Outcome, example_listing
from appraiser_store import Table

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]

BATCHES = 3
PORTS = [f"--port={service}=0" for service in ("feed", "mlflow", "airflow", "api", "ui")]


@dataclass(frozen=True)
class System:
    """The running system.

    Attributes:
        home: Its state folder.
        process: The command `up`.
        addresses: Address of each service, as it was printed.
        alerts: What the webhook was told of failures.
    """

    home: Path
    process: subprocess.Popen[bytes]
    addresses: dict[str, str]
    alerts: list[dict[str, Any]]


def command(home: Path, *words: str) -> list[str]:
    """A command of appraiser over a state folder."""
    return [sys.executable, "-m", "appraiser_cli", *words, "--home", str(home)]


def output(home: Path) -> str:
    """What `up` has printed so far."""
    return (home / "up.txt").read_text(encoding="utf-8")


def wait_until_up(home: Path, process: subprocess.Popen[bytes]) -> dict[str, str]:
    """Wait for the addresses, and read them."""
    deadline = time.monotonic() + 420
    while "everything runs" not in (said := output(home)) or "Ctrl-C ends everything" not in said:
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.5)
    names = {"web page": "ui", "API and its documentation": "api", "models in MLflow": "mlflow"}
    names |= {"pipeline in Airflow": "airflow", "listing feed": "feed"}
    return {name: re.findall(rf"{words} +(http://[0-9.:]+)", said)[0] for words, name in names.items()}


def wait_for_champion(api: str) -> None:
    """Wait until the API serves the version that the registry calls champion; it looks every two seconds."""
    deadline = time.monotonic() + 120
    while True:
        models = httpx.get(f"{api}/models", timeout=30, trust_env=False).json()
        champion = next(model["version"] for model in models if "champion" in model["aliases"])
        ready = httpx.get(f"{api}/health/ready", trust_env=False).json()
        if ready["model"] and ready["model"]["version"] == champion:
            return
        assert time.monotonic() < deadline, ready
        time.sleep(0.5)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, sample_listings: Path | None) -> Iterator[System]:
    """The system after three batches."""
    home = tmp_path_factory.mktemp("home")
    data = ["--data", str(sample_listings)] if sample_listings else []
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("APPRAISER_", "AIRFLOW"))}
    with webhook() as (url, alerts), (home / "up.txt").open("wb") as file:
        process = subprocess.Popen(
            command(home, "up", f"--batches={BATCHES}", *data, *PORTS),
            stdout=file,
            stderr=subprocess.STDOUT,
            env=variables | {"APPRAISER_ALERT_WEBHOOK": url},
        )
        try:
            addresses = wait_until_up(home, process)
            wait_for_champion(addresses["api"])
            yield System(home, process, addresses, alerts)
        finally:
            process.terminate()
            process.wait(timeout=60)
            subprocess.run(command(home, "down"), check=False, timeout=60)


@contextmanager
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Who is told of failures: an address, and what was posted to it so far."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing is said."""

    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield f"http://127.0.0.1:{receiver.server_address[1]}/alerts", told
    finally:
        receiver.shutdown()
        thread.join()
        receiver.server_close()


class Airflow:
    """Airflow's REST API, as the admin."""

    def __init__(self, system: System) -> None:
        password = re.findall(r"user admin, password (\S+)\)", output(system.home))[0]
        self._client = httpx.Client(base_url=system.addresses["airflow"], trust_env=False, timeout=30)
        token = self.ask("POST", "/auth/token", json={"username": "admin", "password": password})["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """Ask, and raise where it is refused."""
        answer = self._client.request(method, path, **request).raise_for_status()
        return answer.json() if answer.content else None

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The runs of a DAG, in the order in which they came."""
        found: list[dict[str, Any]] = self.ask(
            "GET", f"/api/v2/dags/{dag_id}/dagRuns", params={"order_by": "run_after"}
        )["dag_runs"]
        return found

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Start a run; its id."""
        run = self.ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf})
        return str(run["dag_run_id"])

    def end(self, dag_id: str, run_id: str) -> str:
        """Wait until a run has ended; how it did."""
        deadline = time.monotonic() + 90
        while (state := self.ask("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"]) in {"queued", "running"}:
            assert time.monotonic() < deadline, self.tasks(dag_id, run_id)
            time.sleep(0.3)
        return str(state)

    def tasks(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """The tasks of a run by name."""
        found = self.ask("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {task["task_id"]: task for task in found}

    @contextmanager
    def held(self, dag_id: str) -> Iterator[Callable[[], list[dict[str, Any]]]]:
        """Start no run of a DAG; gives what tells those that were asked for meanwhile, which are deleted at the end."""
        before = {run["dag_run_id"] for run in self.runs(dag_id)}

        def triggered() -> list[dict[str, Any]]:
            return [run for run in self.runs(dag_id) if run["dag_run_id"] not in before]

        self.ask("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": True})
        try:
            yield triggered
        finally:
            for run in triggered():
                self.forget(dag_id, run["dag_run_id"])
            self.ask("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": False})

    def forget(self, dag_id: str, run_id: str) -> None:
        """Delete a run, so that no other test finds it."""
        self.ask("DELETE", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")


@pytest.fixture(scope="module")
def airflow(system: System) -> Iterator[Airflow]:
    """The running Airflow."""
    with closing(Airflow(system)) as airflow:
        yield airflow


@pytest.fixture
def context(system: System) -> Iterator[Context]:
    """The pipeline's view of the stores."""
    settings = settings_in(system.home).model_copy(update={"mlflow_tracking_uri": system.addresses["mlflow"]})
    with closing(Context(settings)) as context:
        yield context


def ask(system: System, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the API."""
    url = f"{system.addresses['api']}{path}"
    answer = httpx.post(url, json=body, trust_env=False) if body else httpx.get(url, timeout=30, trust_env=False)
    answer.raise_for_status()
    return answer.json()


class TestStores:
    """What three batches left behind."""

    def test_ledger(self, context: Context) -> None:
        """Three batches, each with all its rows accounted for and a decision with reasons."""
        batches = context.ledger.batches()
        assert [batch.batch_number for batch in batches] == [0, 1, 2]
        for b in batches:
            parts = (b.rows_quarantined, b.rows_duplicate, b.rows_train, b.rows_validation, b.rows_test)
            assert b.rows_received == sum(part or 0 for part in parts)
        decisions = context.ledger.decisions(DecisionKind.TRAINING)
        assert [decision.batch_number for decision in decisions] == [0, 1, 2]
        assert all(decision.reasons and decision.summary for decision in context.ledger.decisions())

    def test_lake(self, context: Context) -> None:
        """Every kept row stands once, in the split that the ledger counts it in."""
        rows = context.lake.read(Table.CLEAN)
        assert rows["row_hash"].n_unique() == rows.height
        counted = {
            (b.batch_number, split): number
            for b in context.ledger.batches()
            for split, number in (("train", b.rows_train), ("validation", b.rows_validation), ("test", b.rows_test))
        }
        found = {(n, split): count for n, split, count in rows.group_by("batch_number", "split").len().iter_rows()}
        assert found == counted

    def test_alias(self, context: Context) -> None:
        """The alias is where the last promotion put it, and every move of the pipeline is recorded."""
        decisions = context.ledger.decisions(DecisionKind.PROMOTION)
        promoted = [decision for decision in decisions if decision.outcome is Outcome.PROMOTE]
        assert context.registry.champion() == promoted[-1].model_version
        moves = [move for move in context.ledger.moves() if move.who == "house_price_pipeline"]
        assert [move.to_version for move in moves] == [decision.model_version for decision in decisions]


class TestAirflow:
    """What the scheduler really ran, and what it can be told."""

    def test_pipeline(self, airflow: Airflow) -> None:
        """Three runs of the DAG, and all of them succeeded; each step took its turn in the pool of the lake."""
        assert [run["state"] for run in airflow.runs("house_price_pipeline")] == ["success"] * BATCHES
        pool = airflow.ask("GET", "/api/v2/pools/appraiser_lake")
        assert (pool["slots"], pool["occupied_slots"]) == (1, 0)

    def test_links(self, airflow: Airflow, context: Context, system: System) -> None:
        """A task leads to the run in MLflow that it made, to its version and to its batch in the API."""
        run = airflow.runs("house_price_pipeline")[0]["dag_run_id"]
        path = f"/api/v2/dags/house_price_pipeline/dagRuns/{run}/taskInstances/train_model/links"
        found = airflow.ask("GET", path)["extra_links"]
        version = context.registry.version_of_batch(0)
        assert version is not None
        assert found == {
            "Run in MLflow": f"{system.addresses['mlflow']}/#/runs/{context.registry.version(version).run_id}",
            "Model in the API": f"{system.addresses['api']}/models/{version}",
            "Batch in the API": f"{system.addresses['api']}/batches/0",
        }
        for name in ("Model in the API", "Batch in the API"):
            httpx.get(found[name], trust_env=False, timeout=30).raise_for_status()

    def test_monitoring(self, airflow: Airflow) -> None:
        """A batch that was cleaned made Airflow look at what people ask about, and there was nothing to ask for."""
        runs = [run for run in airflow.runs("house_price_monitoring") if run["run_type"] == "asset_triggered"]
        last = runs[-1]["dag_run_id"]
        assert airflow.end("house_price_monitoring", last) == "success"
        states = {name: task["state"] for name, task in airflow.tasks("house_price_monitoring", last).items()}
        assert (states["nothing_to_ask"], states["ask_for_retraining"]) == ("success", "skipped")

    def test_asks(self, airflow: Airflow, system: System, context: Context) -> None:
        """Where people ask about other houses, a run of the pipeline is asked for, and told why."""
        houses = [example_listing() | {"house_size": 9_000.0 + number, "bed": 9.0} for number in range(300)]
        url = f"{system.addresses['api']}/predict/batch"
        httpx.post(url, json=houses, trust_env=False, timeout=60).raise_for_status()
        deadline = time.monotonic() + 30
        while len(context.ledger.predictions()) < len(houses):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        with airflow.held("house_price_pipeline") as triggered:
            run = airflow.trigger("house_price_monitoring", policy={"tables_ask": True})
            assert airflow.end("house_price_monitoring", run) == "success"
            [asked] = triggered()
        assert asked["state"] == "queued"
        assert asked["conf"]["retrain_reason"].startswith("the houses asked about are others than version")
        assert "houses asked about in tables in 7 days" in asked["conf"]["retrain_reason"]

    def test_maintenance(self, airflow: Airflow) -> None:
        """What would be cleaned up is told: nothing of a system that is minutes old."""
        run = airflow.trigger("house_price_maintenance", only_tell=True)
        assert airflow.end("house_price_maintenance", run) == "success"
        path = f"/api/v2/dags/house_price_maintenance/dagRuns/{run}/taskInstances/clean/xcomEntries/return_value"
        told = airflow.ask("GET", path, params={"deserialize": "true"})["value"]
        assert {part["count"] for part in told} == {0}
        assert len(told) == 5

    def test_feed(self, airflow: Airflow) -> None:
        """The wait for the feed ends in the triggerer, without a worker, and a run of the pipeline is asked for."""
        with airflow.held("house_price_pipeline") as triggered:
            run = airflow.trigger("house_price_feed")
            assert airflow.end("house_price_feed", run) == "success"
            assert [run["state"] for run in triggered()] == ["queued"]
        wait = airflow.tasks("house_price_feed", run)["wait_for_feed"]
        # No worker ever had it.
        assert (wait["state"], wait["pid"], wait["queued_when"]) == ("success", None, None)

    def test_alert(self, airflow: Airflow, system: System, context: Context) -> None:
        """A run that cannot succeed fails at once, the webhook is told why, and the source was not asked."""
        fetches = context.ledger.fetches()
        run = airflow.trigger("house_price_pipeline", policy={"least_luck": 1})
        assert airflow.end("house_price_pipeline", run) == "failed"
        fetch = airflow.tasks("house_price_pipeline", run)["fetch_batch"]
        assert (fetch["state"], fetch["try_number"]) == ("failed", 1)
        airflow.forget("house_price_pipeline", run)
        [told] = [alert for alert in system.alerts if alert["run_id"] == run]
        assert told["task_id"] == "fetch_batch"
        assert "PolicyError: the policy's 'least_luck' = 1 is no threshold" in told["text"]
        assert context.ledger.fetches() == fetches


class TestAnswers:
    """What the champion says."""

    def test_price(self, system: System, context: Context) -> None:
        """The API answers with the champion, and a reason for every dollar between the base and the price."""
        explained = ask(system, "/explain", example_listing())
        appraisal = explained["appraisal"]
        assert appraisal["model"]["version"] == context.registry.champion()
        total = explained["base_usd"] + sum(c["effect_usd"] for c in explained["contributions"])
        assert total == pytest.approx(appraisal["price_usd"], rel=1e-9)
        assert appraisal["interval"]["lower_usd"] < appraisal["price_usd"] < appraisal["interval"]["upper_usd"]

    @pytest.mark.filterwarnings("ignore:::mlflow")
    def test_pyfunc(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        """MLflow's own way to the champion takes raw listings and gives the API's prices, bit for bit."""
        import mlflow

        monkeypatch.setenv("MLFLOW_TRACKING_URI", system.addresses["mlflow"])
        monkeypatch.setattr("mlflow.tracking._tracking_service.utils._tracking_uri", None)
        houses = [
            example_listing() | {"bed": float(bed), "house_size": size} for bed in (2, 4) for size in (900.0, None)
        ]
        raw = pd.DataFrame([house | {"zip_code": 6016.0} for house in houses])
        raw["house_size"] = raw["house_size"].astype(float)
        model = mlflow.pyfunc.load_model("models:/house-price@champion")
        predicted = np.asarray(model.predict(raw)["price_usd"]).tolist()
        assert predicted == [ask(system, "/predict", house)["price_usd"] for house in houses]

    def test_history(self, system: System) -> None:
        """Models, batches and decisions can be read over HTTP."""
        assert len(ask(system, "/batches")) == BATCHES
        assert {decision["kind"] for decision in ask(system, "/decisions")} == {"training", "promotion"}
        assert ask(system, "/models")[0]["metrics"]["mdape"] > 0

    def test_page(self, system: System) -> None:
        """The page is there."""
        assert httpx.get(system.addresses["ui"], trust_env=False).status_code == 200

    def test_new_champion(self, system: System, context: Context) -> None:
        """A promotion by hand is recorded, and the running API answers with that version by itself, and back."""
        before = context.registry.champion()
        assert before is not None
        other = next(model.version for model in context.registry.versions() if model.version != before)
        for version in (other, before):
            words = command(system.home, "models", "promote", str(version), "--why", "to see it served")
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=240)
            assert done.returncode == 0, done.stderr
            move = context.ledger.moves()[-1]
            assert (move.alias, move.to_version, move.why) == (Alias.CHAMPION, version, "to see it served")
            deadline = time.monotonic() + 120
            while ask(system, "/predict", example_listing())["model"]["version"] != version:
                assert time.monotonic() < deadline
                time.sleep(0.5)


class TestEnd:
    """How it ends."""

    def test_interrupt(self, tmp_path: Path) -> None:
        """Ctrl-C, also in the middle of the start, ends everything that was started."""
        with (tmp_path / "up.txt").open("wb") as file:
            process = subprocess.Popen(command(tmp_path, "up", *PORTS), stdout=file, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 120
        while "feed  " not in output(tmp_path):
            assert process.poll() is None, output(tmp_path)
            assert time.monotonic() < deadline
            time.sleep(0.2)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=90) == 130
        assert children
        assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
