"""How the model that serves is replaced, kept and refused."""

import shutil
import threading
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from running_api import metric, price, serves, wait_for
from starlette.testclient import TestClient
from tiny_champion import promote, train_tiny

from appraiser_api.champion import Champion
from appraiser_api.errors import ChampionError
from appraiser_api.main import create_app
from appraiser_api.settings import Settings
from appraiser_model import Bundle, Registry
from appraiser_schema import Problem


def damage(registry: Registry, version: int) -> None:
    """Cut the model file of a version in half, where the registry keeps it."""
    source = registry._client.get_model_version(registry.name, str(version)).source
    file = Path(unquote(urlsplit(source).path)) / "data" / "bundle" / "model.ubj"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def wait_until_read(client: TestClient, words: str) -> str:
    """Wait until the state of the service says something, and give the whole of it."""
    wait_for(lambda: words in client.get("/health/ready").json()["detail"])
    return str(client.get("/health/ready").json()["detail"])


class TestSwap:
    """A new champion takes over while requests are served."""

    def test_new_champion(self, serving: TestClient, registry: Registry, bundles: tuple[Bundle, Bundle]) -> None:
        """What was promoted serves within a look or two, without a call to the service; a rollback likewise."""
        before = price(serving)
        version = registry.register(bundles[1])
        promote(registry, version)
        wait_for(lambda: serves(serving) == version)
        assert price(serving) != before
        assert metric(serving, "appraiser_champion_version") == version
        promote(registry, 1)
        wait_for(lambda: serves(serving) == 1)
        assert price(serving) == before

    def test_under_load(self, serving: TestClient, registry: Registry, bundles: tuple[Bundle, Bundle]) -> None:
        """No request fails over it, and each answer has the price of the version that it names."""
        version = registry.register(bundles[1])
        answers: list[tuple[int, float]] = []
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                response = serving.post("/predict", json={"state": "Texas"})
                answers.append((response.json()["model"]["version"], response.json()["price_usd"]))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for wanted in (version, 1, version):
                promote(registry, wanted)
                wait_for(lambda wanted=wanted: serves(serving) == wanted)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert len(set(answers)) == 2
        assert {number for number, _ in answers} == {1, version}


class TestRefusal:
    """A champion that cannot serve does not."""

    def test_damaged_bundle(self, serving: TestClient, registry: Registry, bundles: tuple[Bundle, Bundle]) -> None:
        """The old one stays, the state says what is wrong, the metric counts once: there is no hot loop."""
        before = price(serving)
        version = registry.register(bundles[1])
        damage(registry, version)
        promote(registry, version)
        detail = wait_until_read(serving, f"Version {version} is the champion but cannot be used")
        assert "digest" in detail
        assert "DigestError" in detail
        assert "/" not in detail.split("`")[0], "where it lies is nobody's business"
        assert detail.startswith("Version 1 serves.")
        looks = metric(serving, "appraiser_registry_looks_total")
        wait_for(lambda: metric(serving, "appraiser_registry_looks_total") > looks + 3)
        assert metric(serving, "appraiser_champion_load_failures_total") == 1
        assert (serves(serving), price(serving)) == (1, before)

    def test_next_one_after_a_damaged_one(
        self, serving: TestClient, registry: Registry, bundles: tuple[Bundle, Bundle]
    ) -> None:
        """A version that fails does not stand in the way of the next."""
        damaged, good = registry.register(bundles[1]), registry.register(train_tiny(seed=2))
        damage(registry, damaged)
        promote(registry, damaged)
        wait_until_read(serving, "cannot be used")
        promote(registry, good)
        wait_for(lambda: serves(serving) == good)
        assert "cannot" not in serving.get("/health/ready").json()["detail"]


class TestStart:
    """How the service starts."""

    def test_nothing_promoted(self, settings: Settings, registry: Registry) -> None:
        """Without a champion it waits and says for what; once there is one, it takes it."""
        registry._client.delete_registered_model_alias(registry.name, "champion")
        with TestClient(create_app(settings)) as client:
            assert "appraiser pipeline run" in wait_until_read(client, "No model was promoted yet")
            assert client.get("/health/ready").status_code == 503
            assert client.get("/health/live").status_code == 200
            problem = Problem.model_validate_json(client.post("/predict", json={"state": "Texas"}).content)
            assert "No model was promoted yet" in problem.detail
            promote(registry, 1)
            wait_for(lambda: serves(client) == 1)

    def test_from_the_cache(self, serving: TestClient, settings: Settings) -> None:
        """A registry that is gone at the start is no matter: the last good model serves, with the same price."""
        before = price(serving)
        away = settings.model_copy(update={"tracking_uri": "http://127.0.0.1:9"})
        with TestClient(create_app(away)) as client:
            wait_for(lambda: serves(client) == 1)
            assert price(client) == before
            assert "The registry does not answer" in wait_until_read(client, "does not answer")
            assert client.get("/health/ready").status_code == 200
            assert client.get("/models").status_code == 503
            assert client.get("/model").json()["version"] == 1
            assert metric(client, "appraiser_registry_up") == 0

    def test_damaged_cache(self, serving: TestClient, settings: Settings) -> None:
        """A cache that was damaged is fetched again."""
        before = price(serving)
        for file in settings.model_cache.glob("*/model.ubj"):
            file.write_bytes(b"no model")
        with TestClient(create_app(settings)) as client:
            wait_for(lambda: serves(client) == 1)
            assert price(client) == before

    @pytest.mark.parametrize("content", ["", "{}", '{"digest":"../x","facts":{}}'])
    def test_damaged_pointer(self, serving: TestClient, settings: Settings, content: str) -> None:
        """A pointer that cannot be read is no pointer."""
        assert serves(serving) == 1
        (settings.model_cache / "champion.json").write_text(content)
        with TestClient(create_app(settings)) as client:
            wait_for(lambda: serves(client) == 1)

    def test_another_registry(
        self, serving: TestClient, settings: Settings, first_registry: Path, bundles: tuple[Bundle, Bundle]
    ) -> None:
        """A cache that outlived its registry gives way to the next one's version 1."""
        before = price(serving)
        database = settings.model_cache.parent / "other.db"
        shutil.copy(first_registry, database)
        other = Registry(f"sqlite:///{database}")
        other._client.delete_registered_model(other.name)
        promote(other, other.register(bundles[1]))
        assert other.champion() == 1
        with TestClient(create_app(settings.model_copy(update={"tracking_uri": other.tracking_uri}))) as client:
            wait_for(lambda: serves(client) == 1 and price(client) != before)


class TestIncomplete:
    """A model from the cache that appraises single houses and nothing else."""

    def test_told(
        self, serving: TestClient, settings: Settings, registry: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It goes on, the state says so however often the registry is asked, and the failure is counted."""
        assert serves(serving) == registry.champion() == 1

        def fail(*_: object) -> None:
            raise ChampionError(1, -5.0)

        monkeypatch.setattr(Champion, "complete", fail)
        with TestClient(create_app(settings)) as client:
            detail = wait_until_read(client, "cannot be used for tables and explanations")
            assert "Version 1 serves." in detail
            assert "-5.0 USD" in detail
            looks = metric(client, "appraiser_registry_looks_total")
            wait_for(lambda: metric(client, "appraiser_registry_looks_total") > looks + 3)
            assert "cannot be used for tables" in client.get("/health/ready").json()["detail"]
            assert metric(client, "appraiser_champion_load_failures_total") == 1
            assert price(client) > 0


class TestCache:
    """What is kept on disk."""

    def test_two_models(self, serving: TestClient, registry: Registry, settings: Settings) -> None:
        """The one that serves and the one before it, however many there were."""
        for seed in (4, 5):
            version = registry.register(train_tiny(seed=seed))
            promote(registry, version)
            wait_for(lambda version=version: serves(serving) == version)
        wait_for(lambda: len([path for path in settings.model_cache.iterdir() if path.is_dir()]) == 2)
