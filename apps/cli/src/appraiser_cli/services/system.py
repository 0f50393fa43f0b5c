"""The whole system: in which order its services start on a machine with few cores."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from appraiser_cli.home import Home
from appraiser_cli.running.supervisor import Started, Supervisor
from appraiser_cli.services import airflow
from appraiser_cli.services.addresses import Addresses
from appraiser_cli.services.apps import api, feed, ui
from appraiser_cli.services.credentials import Credentials
from appraiser_cli.services.environment import shared
from appraiser_cli.services.mlflow import mlflow
from appraiser_cli.settings import Settings

_PIPELINE: Final = ("feed", "mlflow", *airflow.PARTS)
"""The services without which no batch comes to its end."""


@dataclass(slots=True)
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
    _environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.credentials = Credentials.load_or_make(self.home)
        self._environment = shared(self.home, self.settings, self.addresses, self.addresses.url("mlflow"))

    def start_first(self) -> None:
        """Start what the pipeline needs; Airflow's processes follow once its database is there."""
        airflow.write_passwords(self.home, self.credentials)
        self.supervisor.start(feed(self.addresses, self._environment, self.data))
        if airflow.needs_migration(self.home):
            self.supervisor.start(airflow.migration(self._airflow()))
        else:
            self._start_airflow()
        self.supervisor.start(mlflow(self.home, self.addresses, self._environment))

    def advance(self, fresh: list[Started]) -> None:
        """Start what was waiting for the services that just got ready."""
        for started in fresh:
            if started.service.name == "airflow-migrate":
                airflow.note_migration(self.home)
                self._start_airflow()

    def start_last(self) -> None:
        """Start what people use; it can wait until the first batch is on its way."""
        self.supervisor.start(api(self.addresses, self._environment))
        self.supervisor.start(ui(self.addresses, self._environment))

    @property
    def can_run_pipeline(self) -> bool:
        """Whether everything that the pipeline needs is ready."""
        return self.supervisor.is_ready(*_PIPELINE)

    def check_pipeline(self) -> None:
        """Look whether what the pipeline needs still runs.

        Raises:
            ServiceError: One of its services has ended: its runs would wait for ever.
        """
        self.supervisor.need(*_PIPELINE)

    def _start_airflow(self) -> None:
        for service in airflow.processes(self.addresses, self._airflow()):
            self.supervisor.start(service)

    def _airflow(self) -> dict[str, str]:
        return {**self._environment, **airflow.settings(self.home, self.addresses, self.credentials)}
