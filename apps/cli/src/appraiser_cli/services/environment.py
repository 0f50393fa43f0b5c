"""The environment variables that tie the services together."""

import os
from collections.abc import Mapping

from appraiser_cli.errors import NotThereError
from appraiser_cli.home import Home
from appraiser_cli.services.addresses import Addresses, running
from appraiser_cli.services.profile import Profile, profile_of
from appraiser_cli.services.stores import Stores
from appraiser_cli.settings import Settings


def ledger_url(home: Home, settings: Settings, ports: Mapping[str, int] | None = None) -> str:
    """Where the ledger is: as configured, else in the state folder.

    Args:
        home: State folder.
        settings: What is configured.
        ports: Of the stores; None looks which of them run.

    Raises:
        NotThereError: It is in a server of the state folder's own that does not run.
    """
    if settings.ledger_url:
        return settings.ledger_url
    if profile_of(home) is Profile.SERVICES:
        return Stores(home, settings, running(home) if ports is None else ports).database("appraiser")
    return f"sqlite:///{home.ledger}"


def tracking_file(home: Home) -> str:
    """MLflow's database as a tracking address that needs no server."""
    return f"sqlite:///{home.mlflow_database}"


def tracking_uri(home: Home, settings: Settings) -> str:
    """Where MLflow is, for every command: this state folder's server while it runs, else as configured, else the file.

    The server comes first, so that no command works on another registry than the system beside it.

    Raises:
        NotThereError: It is a server of the state folder's own that does not run.
    """
    ports = running(home)
    if "mlflow" in ports:
        return Addresses(ports, {}).url("mlflow")
    if settings.mlflow_tracking_uri:
        return settings.mlflow_tracking_uri
    if profile_of(home) is Profile.SERVICES:
        raise NotThereError(
            f"the MLflow server of {str(home.folder)!r} does not run; start the system with './appraiser up', or name "
            "another state folder with --home DIR."
        )
    return tracking_file(home)


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
        "APPRAISER_LEDGER_URL": ledger_url(home, settings, addresses.ports),
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


def lake(home: Home, settings: Settings, addresses: Addresses) -> dict[str, str]:
    """What the pipeline is told besides: where its tables are, unless they are files below the state folder.

    Raises:
        NotThereError: They are in a server of the state folder's own that does not run.
    """
    if profile_of(home) is Profile.SERVICES:
        return Stores(home, settings, addresses.ports).lake()
    return {}
