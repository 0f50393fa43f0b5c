"""The whole system: in which order its services start on a machine with few cores."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from appraiser_cli.home import Home
from appraiser_cli.running.service import Service
from appraiser_cli.running.supervisor import Started, Supervisor
from appraiser_cli.services import airflow
from appraiser_cli.services.addresses import Addresses
from appraiser_cli.services.apps import api, feed, ui
from appraiser_cli.services.credentials import Credentials
from appraiser_cli.services.environment import shared
from appraiser_cli.services.mlflow import mlflow
from appraiser_cli.settings import Settings

_PIPELINE: Final = ("feed", *airflow.PARTS)
"""The services without which no batch comes to its end, beside the stores of the profile."""


@dataclass(slots=True)
class Waiting:
    """A service that starts once others are ready.

    Attributes:
        make: Gives it, once it may start: only then all is there that it asks for.
        after: The others' names.
    """

    make: Callable[[], Service]
    after: tuple[str, ...]


@dataclass
class System:
    """Starts the services in waves, so that the pipeline, which everything waits for, can start first.

    Attributes:
        data: File that the feed serves; None for its simulator.
    """

    home: Home
    settings: Settings
    addresses: Addresses
    supervisor: Supervisor
    data: Path | None
    credentials: Credentials = field(init=False)
    environment: dict[str, str] = field(init=False)
    waiting: list[Waiting] = field(init=False, default_factory=list)

    api_workers: int = field(init=False, default=1)
    needed: tuple[str, ...] = field(init=False, default=(*_PIPELINE, "mlflow"))
    """The services without which no batch comes to its end."""

    def __post_init__(self) -> None:
        self.credentials = Credentials.load_or_make(self.home)
        self.environment = shared(self.home, self.settings, self.addresses, self.addresses.url("mlflow"))

    def start_first(self) -> None:
        """Start what the pipeline needs; Airflow's processes follow once its database is there."""
        airflow.write_passwords(self.home, self.credentials)
        self.supervisor.start(feed(self.addresses, self.environment, self.data))
        due = airflow.needs_migration(self.home)
        if due:
            self.supervisor.start(airflow.migration(self.airflow()))
        self.await_airflow("airflow-migrate" if due else "")
        self.supervisor.start(mlflow(self.home, self.addresses, self.environment))
        self.advance([])

    def advance(self, fresh: list[Started]) -> None:
        """Start what was waiting for the services that just got ready."""
        for started in fresh:
            self.note(started.service.name)
        for waiting in [each for each in self.waiting if self.supervisor.is_ready(*each.after)]:
            self.waiting.remove(waiting)
            self.supervisor.start(waiting.make())

    def note(self, name: str) -> None:
        """Do what has to be done once a service is ready."""
        if name == "airflow-migrate":
            airflow.note_migration(self.home)

    def start_last(self) -> None:
        """Start what people use; it can wait until the first batch is on its way."""
        self.supervisor.start(api(self.addresses, self.environment, self.api_workers))
        self.supervisor.start(ui(self.addresses, self.environment))
        # The wait for the feed begins and ends there; no step of a batch waits on a trigger.
        self.supervisor.start(airflow.triggerer(self.addresses, self.airflow()))

    @property
    def can_run_pipeline(self) -> bool:
        """Whether everything that the pipeline needs is ready."""
        return self.supervisor.is_ready(*self.needed)

    def check_pipeline(self) -> None:
        """Look whether what the pipeline needs still runs.

        Raises:
            ServiceError: One of its services has ended: its runs would wait for ever.
        """
        self.supervisor.need(*self.needed)

    def await_airflow(self, *after: str) -> None:
        """Start Airflow's processes once others are ready."""
        names = tuple(name for name in after if name)
        for service in airflow.processes(self.addresses, self.airflow()):
            self.waiting.append(Waiting(partial(_same, service), names))

    def airflow(self) -> dict[str, str]:
        """What Airflow's processes are told."""
        return {**self.environment, **airflow.settings(self.home, self.addresses, self.credentials)}


def _same(service: Service) -> Service:
    return service
