"""A service that serves the challenger, beside the one that serves the champion."""

from pathlib import Path

from running_api import serves, wait_for
from starlette.testclient import TestClient

from appraiser_api.main import create_app
from appraiser_api.settings import Settings
from appraiser_model import Bundle, Registry
from appraiser_schema import Alias, MoveKind


class TestAlias:
    """Which version serves is a setting."""

    def test_challenger(
        self, settings: Settings, registry: Registry, bundles: tuple[Bundle, Bundle], tmp_path: Path
    ) -> None:
        """It serves what the challenger's alias stands for, however often the champion changes."""
        version = registry.register(bundles[1])
        registry.move(Alias.CHALLENGER, version, kind=MoveKind.MANUAL, who="test", why="test")
        own = {name: tmp_path / "canary" / name for name in ("model_cache", "prediction_log", "batch_folder")}
        canary = settings.model_copy(update={**own, "api_alias": Alias.CHALLENGER})
        with TestClient(create_app(canary)) as client:
            wait_for(lambda: serves(client) == version)
        assert registry.champion() == 1
