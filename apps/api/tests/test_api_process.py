"""The server as a process of its own, from start to stop."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from running_api import wait_for

from appraiser_api.settings import Settings
from appraiser_schema import Appraisal, example_listing


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.usefixtures("registry")
class TestProcess:
    """`python -m appraiser_api`."""

    def test_from_start_to_stop(self, settings: Settings, tmp_path: Path) -> None:
        """It starts, says when it is ready, appraises, ends on SIGTERM with exit code 0, and logs JSON throughout."""
        port = free_port()
        environment = os.environ | {
            "APPRAISER_API_PORT": str(port),
            "APPRAISER_MODEL_CACHE": str(settings.model_cache),
            "APPRAISER_LEDGER_URL": settings.ledger_url,
            "MLFLOW_TRACKING_URI": settings.tracking_uri,
        }
        log = tmp_path / "log"
        with log.open("w") as stderr:
            command = [sys.executable, "-m", "appraiser_api"]
            process = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=stderr)
        try:
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                wait_for(lambda: answers(client, "/health/live"))
                wait_for(lambda: answers(client, "/health/ready"), seconds=120)
                response = client.post("/predict", json=example_listing())
                assert Appraisal.model_validate_json(response.content).model.version == 1
                assert "server" not in response.headers
                # An appraisal that is on record has no line in the log as well.
                assert client.get("/model").status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
        events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
        assert "champion_serves" in events
        assert "request" in events


class TestCommand:
    """What else `python -m appraiser_api` does."""

    def test_document(self, tmp_path: Path) -> None:
        """The OpenAPI document can be had without a server."""
        command = [sys.executable, "-m", "appraiser_api", "--openapi"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
        assert "/predict" in json.loads(done.stdout)["paths"]
        assert not list(tmp_path.glob("var"))

    def test_wrong_setting(self, tmp_path: Path) -> None:
        """A setting that cannot be is named by its variable, with exit code 2 and no traceback."""
        environment = os.environ | {"APPRAISER_API_PORT": "many"}
        command = [sys.executable, "-m", "appraiser_api"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "APPRAISER_API_PORT" in done.stderr
        assert "Traceback" not in done.stderr


class TestImports:
    """What the service does not pay for before it answers."""

    def test_nothing_heavy(self) -> None:
        """Table libraries, MLflow and XGBoost are no part of the start; the last two come with the first model."""
        code = "import sys; from appraiser_api.main import create_app; create_app(); print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
        heavy = {"polars", "pandera", "pandas", "mlflow", "xgboost", "pyiceberg", "pyarrow", "scipy"}
        assert not heavy & set(done.stdout.split())


def answers(client: httpx2.Client, path: str) -> bool:
    """Whether an address answers 200."""
    try:
        return client.get(path).status_code == 200
    except httpx2.TransportError:
        time.sleep(0.05)
        return False
