"""An API over a real registry in a real MLflow database, with models trained in a second."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tiny_champion import train_tiny

from appraiser_api.main import create_app
from appraiser_api.settings import Settings
from appraiser_model import Bundle, Registry
from appraiser_schema import Alias, MoveKind

POLL_SECONDS = 0.05


def promote(registry: Registry, version: int) -> None:
    """Make a version the champion."""
    registry.move(Alias.CHAMPION, version, kind=MoveKind.MANUAL, who="test", why="test")


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def serves(client: TestClient) -> int | None:
    """Version of the model that serves."""
    model = client.get("/health/ready").json()["model"]
    return None if model is None else int(model["version"])


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


@pytest.fixture
def faulty_client(app: FastAPI) -> TestClient:
    """A client of an application with an endpoint that fails."""

    @app.get("/fault")
    async def fault() -> None:
        raise RuntimeError("secret")

    return TestClient(app)
