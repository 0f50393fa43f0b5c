"""The environment variables that tie the services together."""

import os

from appraiser_cli.home import Home
from appraiser_cli.services.addresses import Addresses
from appraiser_cli.settings import Settings


def ledger_url(home: Home, settings: Settings) -> str:
    """Where the ledger is: as configured, else the SQLite file in the state folder."""
    return settings.ledger_url or f"sqlite:///{home.ledger}"


def tracking_file(home: Home) -> str:
    """MLflow's database as a tracking address that needs no server."""
    return f"sqlite:///{home.mlflow_database}"


def shared(home: Home, settings: Settings, addresses: Addresses) -> dict[str, str]:
    """What every service is told: where the others are, and where the state lies."""
    return {
        "APPRAISER_LAKE": str(home.lake),
        "APPRAISER_LEDGER_URL": ledger_url(home, settings),
        "APPRAISER_MODEL_CACHE": str(home.model_cache),
        "APPRAISER_FEED_URL": addresses.url("feed"),
        "APPRAISER_API_URL": addresses.url("api"),
        "MLFLOW_TRACKING_URI": addresses.url("mlflow"),
        # Nothing leaves this machine.
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        # One thread per core is enough, and the same everywhere, so that sums add up in the same order.
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(os.cpu_count() or 1)),
        # Waiting threads that spin cost training ten times its time where other processes want the cores.
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "passive"),
        "PYTHONUNBUFFERED": "1",
    }
