"""The MLflow server: runs and model versions, over SQLite and files."""

import sys

from appraiser_cli.home import Home
from appraiser_cli.running.ports import LOOPBACK
from appraiser_cli.running.service import Service
from appraiser_cli.services.addresses import Addresses
from appraiser_cli.services.environment import tracking_file


def mlflow(home: Home, addresses: Addresses, environment: dict[str, str]) -> Service:
    """The server, with artifacts read and written by its clients, who share the disk with it."""
    port = addresses.ports["mlflow"]
    command = (
        *(sys.executable, "-m", "mlflow", "server"),
        *("--backend-store-uri", tracking_file(home)),
        *("--default-artifact-root", str(home.mlflow_artifacts)),
        "--no-serve-artifacts",
        # Four by default, at 280 MB each.
        *("--workers", "1"),
        *("--host", LOOPBACK, "--port", str(port)),
    )
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
