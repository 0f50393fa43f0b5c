"""Where things lie: the repository, and the state folder that a running system writes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final


def _repository() -> Path:
    above = Path(__file__).resolve().parents[4]
    return above if (above / "appraiser").is_file() else Path.cwd()


ROOT: Final = _repository()
"""The repository; the working directory where the command is installed without one."""

DAGS: Final = ROOT / "apps" / "airflow" / "dags"
AIRFLOW_CONFIG: Final = ROOT / "apps" / "airflow" / "config"
"""Folder of `airflow_local_settings.py`, which Airflow imports when it starts."""


@dataclass(frozen=True, slots=True)
class Home:
    """The state folder: everything that a running system writes lies below it."""

    folder: Path

    @property
    def run(self) -> Path:
        """Records of the processes that were started."""
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.folder / "logs"

    @property
    def lake(self) -> Path:
        """Landing area and Iceberg tables."""
        return self.folder / "lake"

    @property
    def ledger(self) -> Path:
        """The ledger's SQLite file."""
        return self.folder / "ledger.db"

    @property
    def mlflow_database(self) -> Path:
        """MLflow's SQLite file."""
        return self.folder / "mlflow" / "mlflow.db"

    @property
    def mlflow_artifacts(self) -> Path:
        """MLflow's artifacts."""
        return self.folder / "mlflow" / "artifacts"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME."""
        return self.folder / "airflow"

    @property
    def model_cache(self) -> Path:
        """Model bundles that the API has downloaded."""
        return self.folder / "api" / "models"

    @property
    def spool(self) -> Path:
        """Where the bodies of large requests wait until they are read."""
        return self.folder / "api" / "spool"

    @property
    def predictions(self) -> Path:
        """What the API answered and the ledger does not have yet."""
        return self.folder / "api" / "predictions"

    @property
    def keys(self) -> Path:
        """API keys, as `keys create` writes them where no other file is named."""
        return self.folder / "api" / "keys.json"

    @property
    def archive(self) -> Path:
        """Earlier states that were moved away by `--fresh`."""
        return self.folder / "archive"

    @property
    def postgresql(self) -> Path:
        """The cluster of PostgreSQL, where the profile has one."""
        return self.folder / "postgresql"

    @property
    def seaweedfs(self) -> Path:
        """The volumes of SeaweedFS, where the profile has it."""
        return self.folder / "seaweedfs"

    @property
    def prometheus(self) -> Path:
        """Configuration and figures of Prometheus, where the profile has it."""
        return self.folder / "prometheus"

    @property
    def secrets(self) -> Path:
        """Passwords and keys of the stores; only the owner can enter."""
        return self.folder / "secrets"

    @property
    def profile(self) -> Path:
        """What the stores are."""
        return self.folder / "profile"

    @property
    def has_state(self) -> bool:
        """Whether a system has written batches, models or runs here."""
        return (
            self.ledger.exists() or self.mlflow_database.exists() or self.postgresql.exists() or self.secrets.exists()
        )

    @property
    def source(self) -> Path:
        """Which data file the state was filled from."""
        return self.folder / "source.json"

    @property
    def state(self) -> tuple[Path, ...]:
        """What there is of all that a running system writes, but the records of processes and the archive."""
        named = (
            *(self.lake, self.mlflow_database.parent, self.airflow, self.model_cache.parent, self.logs, self.source),
            *(self.postgresql, self.seaweedfs, self.prometheus, self.secrets, self.profile),
        )
        # SQLite keeps its newest changes in files beside the ledger.
        return tuple(path for path in (*named, *sorted(self.folder.glob(f"{self.ledger.name}*"))) if path.exists())

    def make(self) -> None:
        """Make the folders that the services expect."""
        for folder in (self.run, self.logs, self.lake, self.mlflow_artifacts, self.airflow, self.model_cache):
            folder.mkdir(parents=True, exist_ok=True)
