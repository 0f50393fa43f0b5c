"""The system over PostgreSQL, S3 and an MLflow server on both: six batches to the decisions of the embedded profile.

Takes minutes, so that it is left out unless asked for: './appraiser check services'.
"""

import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import make_url

from appraiser_cli.errors import CliError
from appraiser_cli.following.airflow_api import AirflowApi
from appraiser_cli.home import Home
from appraiser_cli.running import records
from appraiser_cli.running.ending import family
from appraiser_cli.services import databases, postgresql
from appraiser_cli.services.airflow import DAG_ID
from appraiser_cli.services.credentials import Credentials
from appraiser_cli.services.store_credentials import ADMINISTRATOR
from appraiser_cli.services.stores import own_database
from appraiser_schema import example_listing
from appraiser_store import Ledger
from appraiser_store.lock import STEPS, exclusive

pytestmark = [pytest.mark.services, pytest.mark.timeout(1500)]

BATCHES = 6
NAMES = ("feed", "mlflow", "airflow", "api", "ui", "postgresql", "seaweedfs", "pipeline-metrics", "prometheus")
PORTS = [f"--port={name}=0" for name in NAMES]
VARIABLES = {name: value for name, value in os.environ.items() if not name.startswith(("APPRAISER_", "AIRFLOW", "AWS"))}
PATIENCE = 900
"""How long six batches may take on a loaded machine. [s]"""


def appraiser(home: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command over a state folder."""
    line = [sys.executable, "-m", "appraiser_cli", *words, "--home", str(home)]
    return subprocess.run(line, capture_output=True, text=True, check=check, env=VARIABLES, timeout=PATIENCE)


def decisions(home: Path) -> list[dict[str, Any]]:
    """What was decided and why, without when, and without the number of the lake's snapshot, which is random."""
    found = json.loads(appraiser(home, "decisions", "--json").stdout)
    return [{name: value for name, value in one.items() if name not in {"decided_at", "snapshot_id"}} for one in found]


@dataclass(frozen=True)
class System:
    """The running system.

    Attributes:
        home: Its state folder.
        process: The command `up`.
    """

    home: Path
    process: subprocess.Popen[bytes]

    def url(self, name: str) -> str:
        """Address of a service."""
        return records.load(Home(self.home).run)[name].url


@pytest.fixture(scope="module")
def data(sample_listings: Path | None) -> list[str]:
    """The option that names the sample; the simulator where it is absent."""
    return ["--data", str(sample_listings)] if sample_listings else []


@pytest.fixture(scope="module")
def embedded(folder: Path, data: list[str]) -> list[dict[str, Any]]:
    """What the embedded profile decides of the same batches."""
    appraiser(folder / "embedded", "pipeline", "run", "--batches", str(BATCHES), *data)
    return decisions(folder / "embedded")


@contextmanager
def running(home: Path, said: Path, *words: str, variables: dict[str, str] | None = None) -> Iterator[System]:
    """The command `up` until everything runs, ended afterwards.

    Args:
        home: State folder.
        said: File that takes what it prints.
        words: Options besides.
        variables: Besides those of the test.
    """
    line = [sys.executable, "-m", "appraiser_cli", "up", *words, *PORTS, "--home", str(home)]
    with said.open("wb") as file:
        process = subprocess.Popen(line, stdout=file, stderr=subprocess.STDOUT, env=VARIABLES | (variables or {}))
    try:
        deadline = time.monotonic() + PATIENCE
        while "Ctrl-C ends everything" not in said.read_text():
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.5)
        yield System(home, process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=120)


@pytest.fixture(scope="module")
def system(folder: Path, data: list[str], embedded: list[dict[str, Any]]) -> Iterator[System]:  # noqa: ARG001 - one after the other
    """The system after six batches."""
    home, said = folder / "state", folder / "up.txt"
    try:
        with running(home, said, "--profile", "services", f"--batches={BATCHES}", *data) as system:
            sys.stderr.write(f"\n{said.read_text()}")
            yield system
    finally:
        appraiser(home, "down", check=False)


def ready(system: System) -> dict[str, Any]:
    """Wait until the API serves a model; what it says of itself."""
    deadline = time.monotonic() + 60
    while not (found := httpx.get(f"{system.url('api')}/health/ready", trust_env=False).json())["ready"]:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return dict(found)


def held(system: System) -> dict[str, Any]:
    """What has to be the same after everything was lost and restored: it takes the whole system to tell."""
    ready(system)
    answer = httpx.post(f"{system.url('api')}/predict", json=example_listing(), trust_env=False).raise_for_status()
    lists = ("batches", "decisions", "models list", "models history")
    told = {words: json.loads(appraiser(system.home, *words.split(), "--json").stdout) for words in lists}
    return told | {name: answer.json()[name] for name in ("price_usd", "interval", "model")}


class TestServices:
    """What six batches left behind, and who can see it."""

    def test_decisions(self, system: System, embedded: list[dict[str, Any]]) -> None:
        """The same batches lead to the same decisions for the same reasons, to the last figure."""
        found = decisions(system.home)
        assert {one["batch_number"] for one in found} == set(range(BATCHES))
        assert found == embedded

    def test_tables_are_in_the_bucket(self, system: System) -> None:
        """Listings and models lie in S3, and below the state folder only what was received."""
        assert not list((system.home / "lake").rglob("*.parquet"))
        assert not list((system.home / "mlflow" / "artifacts").iterdir())
        assert not list(system.home.glob("*.db"))
        assert list((system.home / "lake" / "landing").iterdir())

    def test_commands(self, system: System) -> None:
        """Other commands find the stores by the state folder alone."""
        batches = json.loads(appraiser(system.home, "batches", "--json").stdout)
        models = json.loads(appraiser(system.home, "models", "list", "--json").stdout)
        assert [batch["batch_number"] for batch in batches] == list(range(BATCHES))
        assert [model["aliases"] for model in models].count(["champion"]) == 1
        status = json.loads(appraiser(system.home, "status", "--json").stdout)["services"]
        assert {one["name"]: one["state"] for one in status if one["state"] != "running"} == {}
        assert {one["name"] for one in status} >= {"postgresql", "seaweedfs", "airflow-triggerer"}

    def test_answers(self, system: System) -> None:
        """Two workers answer with the champion, and what they answered reaches PostgreSQL."""
        api, deadline = system.url("api"), time.monotonic() + 60
        found = ready(system)
        assert len(found["workers"]) == 2
        assert found["mismatches"] == []
        houses = [{**example_listing(), "house_size": 900.0 + size} for size in range(20)]
        answers = [httpx.post(f"{api}/predict", json=house, trust_env=False).raise_for_status() for house in houses]
        told = answers[-1].json()["request_id"]
        while (asked := appraiser(system.home, "lineage", told, check=False)).returncode:
            assert time.monotonic() < deadline, asked.stderr
            time.sleep(0.5)

    def test_doctor(self, system: System) -> None:
        """Nothing is wrong, and versions of clients and servers are named."""
        found = appraiser(system.home, "doctor", "--json", check=False)
        findings = {one["what"]: one for one in json.loads(found.stdout)}
        assert {what: one for what, one in findings.items() if one["level"] == "fail"} == {}
        assert "client and server are" in findings["mlflow"]["text"]
        assert findings["postgresql"]["level"] == "ok"

    def test_metrics(self, system: System) -> None:
        """Prometheus, where it is installed, is answered by every part that it asks."""
        if not shutil.which("prometheus"):
            pytest.skip("prometheus is not installed; Debian's package of that name brings it")
        deadline = time.monotonic() + 60
        while True:
            found = httpx.get(f"{system.url('prometheus')}/api/v1/targets", trust_env=False).json()["data"]
            health = {target["labels"]["job"]: target["health"] for target in found["activeTargets"]}
            if set(health.values()) == {"up"}:
                break
            assert time.monotonic() < deadline, found
            time.sleep(1)
        assert set(health) == {"api", "feed", "pipeline", "mlflow", "prometheus"}


class TestSecrets:
    """Who can read what opens the stores."""

    def test_command_lines(self, system: System) -> None:
        """No password and no key stands in a command line, a log, or what `up` has printed but Airflow's."""
        known = json.loads((system.home / "secrets" / "stores.json").read_text())
        secrets = [*known["passwords"].values(), *(key["secret_key"] for key in known["keys"].values())]
        lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])] + [
            path.read_text(errors="replace") for path in (system.home / "logs").iterdir()
        ]
        assert not [line[:200] for line in lines for secret in secrets if secret in line]

    def test_files(self, system: System) -> None:
        """The files of secrets, and the folder that they lie in, are their owner's alone."""
        files = [path for path in (system.home / "secrets").iterdir() if path.is_file()]
        assert {path.name for path in files} == {"stores.json", "pgpass", "s3.json"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        assert stat.S_IMODE((system.home / "secrets").stat().st_mode) == 0o700

    def test_loopback_only(self, system: System) -> None:
        """Every part listens where only this machine can reach it."""
        ours = {entry.pid for entry in records.load(Home(system.home).run).values()}
        family = {child.pid for pid in ours for child in psutil.Process(pid).children(recursive=True)} | ours
        listening = [
            connection
            for connection in psutil.net_connections("tcp")
            if connection.pid in family and connection.status == psutil.CONN_LISTEN
        ]
        assert len(listening) >= 9
        assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}

    def test_not_root(self, system: System) -> None:
        """PostgreSQL is run by no administrator."""
        entry = records.load(Home(system.home).run)["postgresql"]
        assert psutil.Process(entry.pid).uids().real != 0
        if os.geteuid() == 0:
            assert psutil.Process(entry.pid).uids().real == pwd.getpwnam("postgres").pw_uid


class TestElsewhere:
    """Servers that are there already: those of the running system, by their addresses."""

    @pytest.fixture
    def administrator(self, system: System) -> str:
        """Address of the running server's own database, for who may make others."""
        port = records.load(Home(system.home).run)["postgresql"].port
        assert port is not None
        return own_database(Home(system.home), ADMINISTRATOR, port)

    def test_database_is_made(self, administrator: str) -> None:
        """A database that is missing on a server that is named is made; one that is there stays."""
        url = make_url(administrator).set(database="elsewhere").render_as_string(hide_password=False)
        assert not postgresql.answers(url)
        databases.make_given(url)
        databases.make_given(url)
        assert postgresql.answers(url)

    def test_who_may_not(self, system: System, administrator: str) -> None:
        """Who may make none is told so, and a wrong password is not repeated."""
        theirs = make_url(administrator).set(username="lake", database="another").render_as_string(hide_password=False)
        with pytest.raises(CliError, match="'another' is missing and cannot be made"):
            databases.make_given(theirs)
        wrong = make_url(administrator).set(password="not-the-word", query={}).render_as_string(hide_password=False)
        with pytest.raises(CliError, match="password authentication failed") as raised:
            databases.make_given(wrong)
        assert "not-the-word" not in str(raised.value)
        assert system.process.poll() is None

    def test_nothing_is_started(self, system: System, folder: Path, administrator: str) -> None:
        """A second system takes a batch over the first one's servers, and starts none of its own."""
        names = ("appraiser", "lake", "airflow")
        known = json.loads((system.home / "secrets" / "stores.json").read_text())["keys"]["lake"]
        url = make_url(administrator)
        given = {name: url.set(database=f"second_{name}").render_as_string(hide_password=False) for name in names}
        variables = {
            "APPRAISER_LEDGER_URL": given["appraiser"],
            "APPRAISER_LAKE_CATALOG_URL": given["lake"],
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": given["airflow"],
            "APPRAISER_LAKE_WAREHOUSE": "s3://lake/second",
            "AWS_ENDPOINT_URL_S3": system.url("seaweedfs"),
            "AWS_ACCESS_KEY_ID": known["access_key"],
            "AWS_SECRET_ACCESS_KEY": known["secret_key"],
            "MLFLOW_ARTIFACTS_DESTINATION": "s3://lake/models",
            "MLFLOW_BACKEND_STORE_URI": url.set(database="second_mlflow").render_as_string(hide_password=False),
        }
        home, said = folder / "second", folder / "second.txt"
        with running(home, said, "--profile", "services", "--batches=1", variables=variables):
            assert not {"postgresql", "seaweedfs"} & set(records.load(Home(home).run))
        assert "batch 0 took" in said.read_text()
        ledger = Ledger(given["appraiser"])
        assert [batch.batch_number for batch in ledger.batches()] == [0]
        ledger.close()
        assert not (home / "postgresql").exists()
        assert not (home / "secrets" / "stores.json").exists()


class TestAgain:
    """What the state folder remembers."""

    def test_other_profile(self, system: System, folder: Path) -> None:
        """A state of the one profile is not started as the other."""
        refused = appraiser(folder / "embedded", "up", "--profile", "services", "--once", check=False)
        assert refused.returncode == 2
        assert "was made with the profile 'embedded'" in refused.stderr
        assert appraiser(system.home, "status", "--json").returncode == 0

    def test_end_and_start(self, system: System, data: list[str], embedded: list[dict[str, Any]]) -> None:
        """`down` ends it all, and says so, after the scheduler was killed in a step; `up` brings that run to its end.

        Without a profile named it starts on the same stores, with nothing else to do.
        """
        before = json.loads(appraiser(system.home, "batches", "--json").stdout)
        run_id = kill_scheduler(system)
        ended = appraiser(system.home, "down").stdout
        assert "postgresql" in ended
        assert system.process.wait(timeout=60) is not None
        absent = appraiser(system.home, "batches", check=False)
        assert (absent.returncode, "PostgreSQL of" in absent.stderr) == (1, True)
        log = (system.home / "logs" / "postgresql.log").read_text()
        assert "database system is shut down" in log.splitlines()[-1]
        if not data:
            pytest.skip("the simulator has batches without end; the sample data have six")
        with running(system.home, system.home.parent / "again.txt", f"--batches={BATCHES}", *data) as again:
            said = (system.home.parent / "again.txt").read_text()
            with closing(airflow_api(again)) as api:
                assert api.run_state(run_id) == "success"
            assert json.loads(appraiser(system.home, "batches", "--json").stdout) == before
            assert decisions(system.home) == embedded
        assert "going on with a run that was interrupted" in said
        assert "the source has no further batch" in said
        assert "airflow-migrate" not in said
        assert "batch 6" not in said

    def test_destroyed(self, system: System, data: list[str]) -> None:
        """Backed up while it runs, lost, and restored under another name: nothing tells it from what it was."""
        appraiser(system.home, "down")
        file, new = system.home.parent / "backup.zip", system.home.parent / "restored"
        with running(system.home, system.home.parent / "before.txt", "--batches=0", *data) as whole:
            before = held(whole)
            made = appraiser(system.home, "backup", str(file))
        assert "profile services" in made.stdout
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        shutil.rmtree(system.home)
        appraiser(new, "restore", str(file))
        assert not (new / "restoring").exists()
        with running(new, system.home.parent / "after.txt", "--batches=0", *data) as restored:
            assert held(restored) == before


def kill_scheduler(system: System) -> str:
    """End Airflow's scheduler by force, with all that it has started, while a step runs; the id of the run."""
    with closing(airflow_api(system)) as api, exclusive(system.home / "lake" / STEPS):
        asked = {"logical_date": None, "conf": {"again": BATCHES - 1}}
        run_id = str(api._ask("POST", f"{api._dag}/dagRuns", json=asked)["dag_run_id"])
        deadline = time.monotonic() + 120
        # The step waits for its turn, which we have.
        while ("validate", "running") not in {(task.name, task.state) for task in api.tasks(run_id)}:
            assert time.monotonic() < deadline, api.tasks(run_id)
            time.sleep(0.2)
        for process in family(records.load(Home(system.home).run)["airflow-scheduler"]):
            process.kill()
    return run_id


def airflow_api(system: System) -> AirflowApi:
    """The running Airflow."""
    return AirflowApi(system.url("airflow"), DAG_ID, Credentials.load_or_make(Home(system.home)))
