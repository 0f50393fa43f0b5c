"""What people have deleted in MLflow: it stays there to be restored, until `mlflow gc` removes it for good."""

import datetime as dt
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

from appraiser_model import MODEL_NAME
from appraiser_pipeline.errors import TrashError
from appraiser_pipeline.settings import Settings

_DATABASES = ("sqlite:", "postgresql", "mysql", "mssql")


@dataclass(frozen=True, slots=True)
class Trash:
    """What was deleted long enough ago.

    Attributes:
        names: Ids of runs and logged models.
        problem: Why none of it can be removed; None where it can.
    """

    names: tuple[str, ...]
    problem: str | None = None


def look(settings: Settings, age: dt.timedelta) -> Trash:
    """Tell what `remove` would remove.

    Args:
        settings: Where MLflow and its database are.
        age: Since when it is deleted, at least.
    """
    store = _store(settings)
    if store is None:
        return Trash(
            (),
            "MLflow's database is not known here: set APPRAISER_MLFLOW_STORE_URI, or run `mlflow gc` where it is.",
        )
    milliseconds = int(age.total_seconds() * 1000)
    # As `mlflow gc` asks; MLflow has no public way.
    asked = (store._get_deleted_runs, store._get_deleted_logged_models)  # noqa: SLF001 - as above
    names = tuple(str(name) for deleted in asked for name in deleted(older_than=milliseconds))
    if needed := sorted(set(names) & _named(settings)):
        return Trash(
            names,
            f"{needed[0]} was deleted in MLflow, and a registered version needs it: nothing is removed until it is "
            f"restored with `mlflow runs restore --run-id {needed[0]}`, or the version is deleted.",
        )
    return Trash(names)


def remove(settings: Settings, age: dt.timedelta) -> None:
    """Remove it with MLflow's own command.

    Raises:
        TrashError: The command failed.
    """
    # The database's address may hold a password, which others could read among the arguments of a process.
    variables = {
        "MLFLOW_BACKEND_STORE_URI": store_uri(settings) or "",
        "MLFLOW_TRACKING_URI": settings.mlflow_tracking_uri,
    }
    command = [sys.executable, "-m", "mlflow", "gc", "--older-than", f"{max(1, int(age.total_seconds()))}s"]
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TrashError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])


def store_uri(settings: Settings) -> str | None:
    """Address of MLflow's database; None where only its server is known."""
    if settings.mlflow_store_uri is not None:
        return settings.mlflow_store_uri.get_secret_value()
    uri = settings.mlflow_tracking_uri
    return uri if uri.startswith(_DATABASES) else None


def _store(settings: Settings) -> Any | None:
    uri = store_uri(settings)
    if uri is None:
        return None
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: PLC0415 - takes seconds to import

    # It makes the folder of artifacts, which is of no use here.
    return SqlAlchemyStore(uri, tempfile.gettempdir())  # type: ignore[no-untyped-call]  # as MLflow has it


def _named(settings: Settings) -> set[str]:
    """Runs and logged models that a registered version stands on."""
    from mlflow import MlflowClient  # noqa: PLC0415 - as above

    client = MlflowClient(settings.mlflow_tracking_uri, settings.mlflow_tracking_uri)
    found = client.search_model_versions(f"name = '{MODEL_NAME}'", max_results=10_000)
    return {str(name) for version in found for name in (version.run_id, version.model_id) if name}
