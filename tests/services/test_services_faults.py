"""PostgreSQL killed during a commit, S3 gone during a write, MLflow gone between training and registration.

Real servers, killed by force in the middle of a batch. The next run brings the batch to the same end as one that
nothing has disturbed.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest
from pipeline_stand import running_feed, settings_in
from pyarrow.fs import FileSelector
from pydantic import SecretStr

from appraiser_cli.home import Home
from appraiser_cli.running.ending import family
from appraiser_cli.running.service import Service
from appraiser_cli.running.supervisor import Supervisor
from appraiser_cli.services import databases, mlflow, postgresql, seaweedfs
from appraiser_cli.services.addresses import LISTENERS, STORES, Addresses
from appraiser_cli.services.environment import shared
from appraiser_cli.services.profile import Profile, remember
from appraiser_cli.services.store_credentials import ADMINISTRATOR, StoreCredentials, password_file
from appraiser_cli.services.stores import Stores
from appraiser_cli.settings import Settings as CliSettings
from appraiser_pipeline.context import Context
from appraiser_pipeline.run import run_batch
from appraiser_pipeline.settings import Settings
from appraiser_pipeline.steps.train_model import SCRATCH
from appraiser_store import Ledger, Table

pytestmark = [pytest.mark.services, pytest.mark.timeout(1500)]

FAULTS = 5
ROWS = {"APPRAISER_FEED_ROWS": "5000"}
WHY = "every batch is to have a model"
PATIENCE = 180
"""How long a step may take to come so far, or to give up. [s]"""


def wait_for(condition: Callable[[], object], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until something has happened, which must not be the end of the process."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.005)


@dataclass
class Stand:
    """The stores of the profile with services, without Airflow.

    Attributes:
        services: How each is started, by name.
        environment: What the pipeline is told.
    """

    home: Home
    supervisor: Supervisor
    stores: Stores
    services: dict[str, Service]
    environment: dict[str, str]

    def start(self, *services: Service) -> None:
        """Start servers and wait until they are ready."""
        for service in services:
            self.services[service.name] = service
            self.supervisor.start(service)
        while self.supervisor.waiting():
            self.supervisor.check()
            time.sleep(0.1)

    def kill(self, name: str) -> None:
        """End a server and all that belongs to it by force, at once."""
        started = self.supervisor.started[name]
        for process in family(started.entry):
            process.kill()
        started.process.wait(timeout=20)

    def run(self, log: Path) -> subprocess.Popen[bytes]:
        """Take the next batch, or go on with it, in a process of its own."""
        line = [sys.executable, "-m", "appraiser_pipeline", "run", "--retrain", WHY]
        with log.open("wb") as file:
            return subprocess.Popen(line, env=os.environ | self.environment, stdout=file, stderr=file)

    def administrator(self, database: str) -> "psycopg.Connection[Any]":
        """A connection that may do everything."""
        port = self.stores.ports["postgresql"]
        return psycopg.connect(
            host="127.0.0.1", port=port, user=ADMINISTRATOR, dbname=database, passfile=str(password_file(self.home))
        )

    @contextmanager
    def disturbed(self, name: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """A batch that a server is killed under: the run fails, and the next one, with the server back, does not."""
        process = self.run(log)
        try:
            yield process
            self.kill(name)
            assert process.wait(timeout=PATIENCE) == 1, log.read_text()
        finally:
            process.kill()
            process.wait()
        self.start(self.services[name])
        again = self.run(log)
        assert again.wait(timeout=PATIENCE) == 0, log.read_text()

    def context(self) -> Context:
        """The pipeline's view of the stores."""
        s3 = self.stores.s3("lake")
        return Context(
            Settings(
                lake=self.home.lake,
                ledger_url=self.stores.database("appraiser"),
                lake_catalog_url=SecretStr(self.stores.database("lake")),
                lake_warehouse="s3://lake/warehouse",
                s3_endpoint=s3.endpoint,
                s3_access_key_id=s3.access_key,
                s3_secret_access_key=SecretStr(s3.secret_key),
                mlflow_tracking_uri=self.environment["MLFLOW_TRACKING_URI"],
                code_version="test",
            )
        )

    def batches(self) -> int:
        """How many batches there are."""
        with closing(Ledger(self.stores.database("appraiser"))) as ledger:
            return len(ledger.batches())


@pytest.fixture(scope="module")
def stand(folder: Path) -> Iterator[Stand]:
    """The stores after one batch."""
    home = Home(folder / "faults")
    home.make()
    remember(home, Profile.SERVICES)
    places = Addresses.choose(lambda _: 0, names=(*LISTENERS, *STORES))
    stores = Stores(home, CliSettings(), places.ports)
    credentials = StoreCredentials.load_or_make(home)
    with running_feed(ROWS) as feed, Supervisor(home) as supervisor:
        environment = shared(home, CliSettings(), places, places.url("mlflow")) | stores.lake()
        environment |= {"APPRAISER_FEED_URL": feed, "APPRAISER_CODE_VERSION": "test"}
        stand = Stand(home, supervisor, stores, {}, environment)
        postgresql.prepare(home, credentials)
        stand.start(
            postgresql.postgresql(home, places.ports["postgresql"]),
            seaweedfs.seaweedfs(home, credentials, places.ports["seaweedfs"], stores),
        )
        databases.make_own(home, credentials, places.ports["postgresql"])
        stand.start(mlflow.mlflow_migration(stores, environment))
        stand.start(mlflow.mlflow_on_stores(home, stores, places.ports["mlflow"], environment))
        first = stand.run(home.logs / "first.txt")
        assert first.wait(timeout=PATIENCE) == 0, (home.logs / "first.txt").read_text()
        yield stand


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> dict[str, list[Any]]:
    """What the same batches give in files, and when nothing happens."""
    with (
        running_feed(ROWS) as feed,
        closing(Context(settings_in(folder / "undisturbed", feed, retrain_reason=WHY))) as context,
    ):
        for _ in range(1 + FAULTS):
            list(run_batch(context))
        return state(context, 1 + FAULTS)


def state(context: Context, batches: int) -> dict[str, list[Any]]:
    """Everything that a disturbed run must have in common with an undisturbed one, by batch."""
    ledger, registry, numbers = context.ledger, context.registry, range(batches)
    rows = context.lake.read(Table.CLEAN).sort("row_hash")
    quarantine = context.lake.read(Table.QUARANTINE).sort(pl.all())
    decisions = [decision.model_dump(exclude={"decided_at", "snapshot_id"}) for decision in ledger.decisions()]
    versions = [registry.version_of_batch(number) for number in numbers]
    return {
        "batches": [batch.model_dump(exclude={"received_at", "clean_snapshot_id"}) for batch in ledger.batches()],
        "rows": [rows.filter(batch_number=number).rows() for number in numbers],
        "quarantine": [quarantine.filter(batch_number=number).rows() for number in numbers],
        "decisions": [[each for each in decisions if each["batch_number"] == number] for number in numbers],
        "moves": [move.model_dump(exclude={"at"}) for move in ledger.moves()],
        "models": [registry.load(version).model.booster.save_raw("ubj") for version in versions if version is not None],
    }


@pytest.fixture(autouse=True)
def _held_against(stand: Stand, undisturbed: dict[str, list[Any]]) -> Iterator[None]:
    """After each fault nothing tells what is there from what undisturbed batches give."""
    batches = stand.batches()
    yield
    with closing(stand.context()) as context:
        found = state(context, batches + 1)
    for name, expected in undisturbed.items():
        assert len(found[name]) == batches + 1, name
        assert found[name] == expected[: batches + 1], name


class TestPostgresql:
    """Killed with all its processes while a transaction is open."""

    @pytest.mark.parametrize(
        ("database", "table"), [("appraiser", "batches"), ("lake", "iceberg_tables"), ("mlflow", "model_versions")]
    )
    def test_commit(self, stand: Stand, tmp_path: Path, database: str, table: str) -> None:
        """Half a transaction of the ledger, of the lake's catalog, or of a registration leaves nothing."""

        def waits() -> bool:
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
            return bool(watching.execute(query, (database,)).fetchone()[0])  # type: ignore[index]

        holding, watching = stand.administrator(database), stand.administrator("postgres")
        watching.autocommit = True
        try:
            holding.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")  # type: ignore[arg-type]
            log = tmp_path / "run.txt"
            with stand.disturbed("postgresql", log) as process:
                wait_for(waits, process, log)
        finally:
            for connection in (holding, watching):
                with suppress(psycopg.OperationalError):
                    connection.close()


class TestStorage:
    """SeaweedFS killed."""

    def test_write(self, stand: Stand, tmp_path: Path) -> None:
        """Rows are in the bucket, and what describes them is not: the batch is written again."""
        folder = f"lake/warehouse/clean/listings/data/batch_number={stand.batches()}"
        files = seaweedfs.files(stand.stores.s3("lake"))
        log = tmp_path / "run.txt"
        with stand.disturbed("seaweedfs", log) as process:
            wait_for(lambda: files.get_file_info(FileSelector(folder, allow_not_found=True)), process, log)


class TestRegistry:
    """The MLflow server killed."""

    def test_training(self, stand: Stand, tmp_path: Path) -> None:
        """A model that was trained and could not be registered is trained again, to the same bytes."""
        scratch = str(stand.home.lake / SCRATCH)
        log = tmp_path / "run.txt"
        with stand.disturbed("mlflow", log) as process:
            wait_for(lambda: _has_open(process.pid, scratch), process, log)


def _has_open(pid: int, folder: str) -> bool:
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            if str(handle.readlink()).startswith(folder):
                return True
    return False
