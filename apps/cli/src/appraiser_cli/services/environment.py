"""The environment variables that tie the services together."""

import os

from appraiser_cli.home import Home
from appraiser_cli.services.addresses import Addresses, running
from appraiser_cli.settings import Settings


def ledger_url(home: Home, settings: Settings) -> str:
    """Where the ledger is: as configured, else the SQLite file in the state folder."""
    return settings.ledger_url or f"sqlite:///{home.ledger}"


def tracking_file(home: Home) -> str:
    """MLflow's database as a tracking address that needs no server."""
    return f"sqlite:///{home.mlflow_database}"


def tracking_uri(home: Home, settings: Settings) -> str:
    """Where MLflow is, for every command: this state folder's server while it runs, else as configured, else the file.

    The server comes first, so that no command works on another registry than the system beside it.
    """
    ports = running(home)
    if "mlflow" in ports:
        return Addresses(ports, {}).url("mlflow")
    return settings.mlflow_tracking_uri or tracking_file(home)


def shared(home: Home, settings: Settings, addresses: Addresses, tracking: str) -> dict[str, str]:
    """What every service is told: where the others are, and where the state lies.

    Args:
        home: State folder.
        settings: Where the ledger is.
        addresses: Where the services listen.
        tracking: Where MLflow is.
    """
    return {
        "APPRAISER_LAKE": str(home.lake),
        "APPRAISER_LEDGER_URL": ledger_url(home, settings),
        "APPRAISER_MODEL_CACHE": str(home.model_cache),
        "APPRAISER_API_RUN": str(home.model_cache.parent / "run"),
        "APPRAISER_PREDICTION_LOG": str(home.predictions),
        "APPRAISER_BATCH_FOLDER": str(home.spool),
        "APPRAISER_FEED_URL": addresses.url("feed"),
        "APPRAISER_AIRFLOW_URL": addresses.url("airflow"),
        "APPRAISER_API_URL": addresses.url("api"),
        "MLFLOW_TRACKING_URI": tracking,
        # Nothing leaves this machine.
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        # One thread per core is enough, and the same everywhere, so that sums add up in the same order.
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(os.cpu_count() or 1)),
        # Waiting threads that spin cost training ten times its time where other processes want the cores.
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "passive"),
        "PYTHONUNBUFFERED": "1",
    }
