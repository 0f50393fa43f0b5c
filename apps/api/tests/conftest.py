"""An API over a real registry in a real MLflow database, with models trained in a second."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from running_api import serves, wait_for
from starlette.testclient import TestClient
from tiny_champion import promote, train_tiny

from appraiser_api.main import create_app
from appraiser_api.metrics import Metrics
from appraiser_api.prediction_log import LogMetrics
from appraiser_api.settings import Settings
from appraiser_model import Bundle, Registry

POLL_SECONDS = 0.05


@pytest.fixture(scope="session")
def bundles() -> tuple[Bundle, Bundle]:
    """Two models of two markets."""
    return train_tiny(seed=0), train_tiny(seed=1, batch_number=1)


@pytest.fixture(scope="session")
def first_registry(tmp_path_factory: pytest.TempPathFactory, bundles: tuple[Bundle, Bundle]) -> Path:
    """Database of a registry with the first model as its champion."""
    database = tmp_path_factory.mktemp("registry") / "mlflow.db"
    registry = Registry(f"sqlite:///{database}")
    promote(registry, registry.register(bundles[0]))
    return database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an API whose stores lie in the test's own folder."""
    return Settings(
        model_cache=tmp_path / "models",
        prediction_log=tmp_path / "predictions",
        poll_seconds=POLL_SECONDS,
        ledger_url=f"sqlite:///{tmp_path / 'ledger.db'}",
        tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}",
    )


@pytest.fixture
def registry(first_registry: Path, settings: Settings, tmp_path: Path) -> Registry:
    """The registry of this test, with version 1 as the champion."""
    shutil.copy(first_registry, tmp_path / "mlflow.db")
    return Registry(settings.tracking_uri)


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """The application, not started."""
    return create_app(settings)


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """A client of the application without a model: nothing is started."""
    return TestClient(app)


@pytest.fixture
def serving(app: FastAPI, registry: Registry) -> Iterator[TestClient]:
    """A client of the running application, once version 1 of the registry serves."""
    assert registry.champion() == 1
    with TestClient(app) as client:
        wait_for(lambda: serves(client) == 1)
        yield client


@pytest.fixture(scope="module")
def running(first_registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a running application that the tests of a module share, once version 1 serves."""
    folder = tmp_path_factory.mktemp("tables")
    shutil.copy(first_registry, folder / "mlflow.db")
    settings = Settings(
        model_cache=folder / "models",
        batch_folder=folder / "spool",
        prediction_log=folder / "predictions",
        ledger_url=f"sqlite:///{folder / 'ledger.db'}",
        tracking_uri=f"sqlite:///{folder / 'mlflow.db'}",
    )
    with TestClient(create_app(settings)) as client:
        wait_for(lambda: serves(client) == 1)
        yield client


@pytest.fixture
def faulty_client(app: FastAPI) -> TestClient:
    """A client of an application with an endpoint that fails."""

    @app.get("/fault")
    async def fault() -> None:
        raise RuntimeError("secret")

    return TestClient(app)


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of their own."""
    return Metrics()


@pytest.fixture
def log_metrics(metrics: Metrics) -> LogMetrics:
    """Those of the log among them."""
    return LogMetrics(metrics)
