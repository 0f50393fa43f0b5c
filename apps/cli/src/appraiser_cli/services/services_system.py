"""The system over servers: PostgreSQL, an object store and MLflow over both, our own or those that settings name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, override

from sqlalchemy import make_url

from appraiser_cli.running.service import Service
from appraiser_cli.services import airflow, databases, postgresql, prometheus, seaweedfs, stamps
from appraiser_cli.services.apps import feed
from appraiser_cli.services.environment import shared
from appraiser_cli.services.mlflow import mlflow_migration, mlflow_on_stores
from appraiser_cli.services.store_credentials import DATABASES, StoreCredentials
from appraiser_cli.services.stores import Stores, given_database
from appraiser_cli.services.system import System, Waiting
from appraiser_store import Ledger

_API_WORKERS: Final = 2

_OWN: Final = "own"
"""What stands in the note of a migration for a database of the state folder's own server."""


@dataclass
class ServicesSystem(System):
    """Starts the stores that are our own, makes in all of them what is missing, then the rest.

    Attributes:
        at_ledger: Called once the ledger is there and before anything is written to it.
    """

    at_ledger: Callable[[], None] = lambda: None
    stores: Stores = field(init=False)

    @override
    def __post_init__(self) -> None:
        self.stores = Stores(self.home, self.settings, self.addresses.ports)
        tracking = self.settings.mlflow_tracking_uri or self.addresses.url("mlflow")
        super().__post_init__()
        self.environment = shared(self.home, self.settings, self.addresses, tracking)
        own = {
            "postgresql": self.stores.needs_postgresql,
            "seaweedfs": self.stores.needs_seaweedfs,
            "mlflow": self.stores.needs_mlflow,
        }
        parts = [name for name in self.needed if name != "mlflow"]
        self.api_workers = _API_WORKERS
        self.needed = (*(name for name, needed in own.items() if needed), *parts)

    @override
    def start_first(self) -> None:
        airflow.write_passwords(self.home, self.credentials)
        self.supervisor.start(feed(self.addresses, self.environment, self.data))
        if self.stores.needs_seaweedfs:
            port = self.addresses.ports["seaweedfs"]
            self.supervisor.start(seaweedfs.seaweedfs(self.home, self._keys, port, self.stores))
        else:
            seaweedfs.make_given(self.stores)
        if self.stores.needs_postgresql:
            postgresql.prepare(self.home, self._keys)
            self.supervisor.start(postgresql.postgresql(self.home, self.addresses.ports["postgresql"]))
        else:
            self._migrate()

    @override
    def note(self, name: str) -> None:
        match name:
            case "postgresql":
                databases.make_own(self.home, self._keys, self.addresses.ports["postgresql"])
                self._migrate()
            case "mlflow-migrate":
                stamps.note(self.home, "mlflow", self._named("mlflow"))
            case "airflow-migrate":
                stamps.note(self.home, "apache-airflow", self._named("airflow"))

    @override
    def start_last(self) -> None:
        super().start_last()
        ports = self.addresses.ports
        self.supervisor.start(prometheus.pipeline_metrics(ports["pipeline-metrics"], self.environment))
        if program := prometheus.program():
            self.supervisor.start(prometheus.prometheus(self.home, program, ports))

    @override
    def airflow(self) -> dict[str, str]:
        settings = airflow.settings(self.home, self.addresses, self.credentials, self.stores.database("airflow"))
        return {**self.environment, **settings, **self.stores.lake()}

    @cached_property
    def _keys(self) -> StoreCredentials:
        # Where all stores are elsewhere none are made.
        return StoreCredentials.load_or_make(self.home)

    def _migrate(self) -> None:
        """Bring every database up to date, in order; each server starts once its own tables are there."""
        for name in DATABASES:
            if (given := given_database(self.settings, name)) and (name != "mlflow" or self.stores.needs_mlflow):
                databases.make_given(given)
        Ledger(self.stores.database("appraiser")).close()
        self.at_ledger()
        if self.stores.needs_mlflow:
            self._after(
                "mlflow",
                lambda: mlflow_migration(self.stores, self.environment),
                lambda: mlflow_on_stores(self.home, self.stores, self.addresses.ports["mlflow"], self.environment),
            )
        due = stamps.is_due(self.home, "apache-airflow", self._named("airflow"))
        if due:
            self.supervisor.start(airflow.migration(self.airflow()))
        self.await_airflow("airflow-migrate" if due else "")

    def _after(self, package: str, migration: Callable[[], Service], server: Callable[[], Service]) -> None:
        after = ("seaweedfs",) if self.stores.needs_seaweedfs else ()
        if stamps.is_due(self.home, package, self._named(package)):
            self.supervisor.start(migration())
            after = (*after, f"{package}-migrate")
        self.waiting.append(Waiting(server, after))

    def _named(self, database: str) -> str:
        given = given_database(self.settings, database)
        return make_url(given).render_as_string(hide_password=True) if given else _OWN
