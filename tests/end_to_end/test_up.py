"""The whole system as a user starts it: three batches through the real DAG, then a question to the champion."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
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
    """

    home: Path
    process: subprocess.Popen[bytes]
    addresses: dict[str, str]


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
    deadline = time.monotonic() + 60
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
    with (home / "up.txt").open("wb") as file:
        process = subprocess.Popen(
            command(home, "up", f"--batches={BATCHES}", *data, *PORTS),
            stdout=file,
            stderr=subprocess.STDOUT,
            env=variables,
        )
    try:
        addresses = wait_until_up(home, process)
        wait_for_champion(addresses["api"])
        yield System(home, process, addresses)
    finally:
        process.terminate()
        process.wait(timeout=60)
        subprocess.run(command(home, "down"), check=False, timeout=60)


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

    def test_airflow(self, system: System) -> None:
        """Three runs of the DAG, and all of them succeeded."""
        said = output(system.home)
        password = re.findall(r"user admin, password (\S+)\)", said)[0]
        with httpx.Client(base_url=system.addresses["airflow"], trust_env=False, timeout=30) as client:
            token = client.post("/auth/token", json={"username": "admin", "password": password}).json()["access_token"]
            answer = client.get(
                "/api/v2/dags/house_price_pipeline/dagRuns", headers={"Authorization": f"Bearer {token}"}
            )
        assert [run["state"] for run in answer.json()["dag_runs"]] == ["success"] * BATCHES


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
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
            assert done.returncode == 0, done.stderr
            move = context.ledger.moves()[-1]
            assert (move.alias, move.to_version, move.why) == (Alias.CHAMPION, version, "to see it served")
            deadline = time.monotonic() + 60
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
