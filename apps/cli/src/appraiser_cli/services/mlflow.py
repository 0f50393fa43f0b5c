"""The MLflow server: runs and model versions, over SQLite and files, or over PostgreSQL and an object store."""

import sys
from importlib.util import find_spec
from typing import Final

from appraiser_cli.home import Home
from appraiser_cli.running.ports import LOOPBACK
from appraiser_cli.running.service import Service
from appraiser_cli.services.addresses import Addresses
from appraiser_cli.services.environment import tracking_file
from appraiser_cli.services.stores import Stores

_SERVER: Final = (sys.executable, "-m", "mlflow", "server")
_UPGRADE: Final = (
    "import os; from mlflow.db import commands; commands(['upgrade', os.environ['MLFLOW_BACKEND_STORE_URI']])"
)
"""Its own command, without the address on the command line, which everybody can read."""

_METRICS: Final = "prometheus_flask_exporter"
"""What the server tells its figures with; it asks for it only where it is to tell them."""


def mlflow(home: Home, addresses: Addresses, environment: dict[str, str]) -> Service:
    """The server, with artifacts read and written by its clients, who share the disk with it."""
    port = addresses.ports["mlflow"]
    command = (
        *_SERVER,
        *("--backend-store-uri", tracking_file(home)),
        *("--default-artifact-root", str(home.mlflow_artifacts)),
        "--no-serve-artifacts",
        # Four by default, at 280 MB each.
        *("--workers", "1"),
        *("--host", LOOPBACK, "--port", str(port)),
    )
    return _service(port, command, environment)


def mlflow_on_stores(home: Home, stores: Stores, port: int, environment: dict[str, str]) -> Service:
    """The server over PostgreSQL and S3; artifacts pass through it, so that no client needs keys of the storage."""
    command = (*_SERVER, "--workers", "1", "--host", LOOPBACK, "--port", str(port))
    told = environment | _database(stores) | stores.s3("mlflow").variables
    told["MLFLOW_ARTIFACTS_DESTINATION"] = stores.settings.mlflow_artifacts
    if find_spec(_METRICS):
        told["MLFLOW_EXPOSE_PROMETHEUS"] = str(home.prometheus / "mlflow")
    return _service(port, command, told)


def mlflow_migration(stores: Stores, environment: dict[str, str]) -> Service:
    """Make the server's tables, or bring them up to date."""
    return Service("mlflow-migrate", (sys.executable, "-c", _UPGRADE), environment | _database(stores), once=True)


def _database(stores: Stores) -> dict[str, str]:
    """Where the server's tables are."""
    return {"MLFLOW_BACKEND_STORE_URI": stores.database("mlflow")}


def _service(port: int, command: tuple[str, ...], environment: dict[str, str]) -> Service:
    return Service(
        name="mlflow",
        command=command,
        environment={
            **environment,
            # No background jobs run here; their runner costs a process and a second of start.
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        },
        port=port,
        health="/health",
    )
