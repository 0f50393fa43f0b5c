"""The registry, on a database and on a real MLflow server alike."""

import itertools
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from appraiser_model import (
    Bundle,
    Card,
    DigestError,
    ListingsError,
    Registry,
    RegistryError,
    RegistryUnreachableError,
    UnknownVersionError,
)
from appraiser_model.mlflow_model import BUNDLE_PATH, write_mlflow_model
from appraiser_model.registry import CARD_FILE
from appraiser_schema import RAW_COLUMNS, Alias, MoveKind, example_listing
from appraiser_schema.frames import to_columns

if TYPE_CHECKING:
    from conftest import Market

pytestmark = [
    # MLflow's own, on SQLAlchemy 2.1
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated"),
]

NUMBERS = itertools.count()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the database and the artifacts."""
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def database(store: Path) -> str:
    """URI of a database without a server, its tables made."""
    uri = f"sqlite:///{store}/mlflow.db"
    assert Registry(uri).champion() is None
    return uri


@pytest.fixture(scope="module")
def server(store: Path, database: str) -> Iterator[str]:
    """URI of a real server on the same database, one worker, loopback only."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", database, "--workers", "1"]
    command += ["--default-artifact-root", str(store / "artifacts"), "--no-serve-artifacts"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with (store / "server.log").open("wb") as log:
        # Without its job runners, which take eight processes and a gigabyte.
        environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, store / "server.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a server answers."""
    for _ in range(480):
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - a URL of our own
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module", params=["database", "server"])
def uri(request: pytest.FixtureRequest) -> str:
    """Either way to the registry."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture(scope="module")
def filled(uri: str, bundle: Bundle) -> Registry:
    """A registry with a version of batch 2, one of batch 12, and again one of batch 2."""
    registry = Registry(uri, f"house-price-{next(NUMBERS)}")
    other = Bundle(bundle.model, bundle.card.model_copy(update={"batch_number": 12}))
    assert [registry.register(each) for each in (bundle, other, bundle)] == [1, 2, 3]
    return registry


@pytest.fixture
def registry(filled: Registry) -> Registry:
    """The filled registry, without aliases."""
    for alias in Alias:
        filled._client.delete_registered_model_alias(filled.name, alias.value)
    return filled


@pytest.fixture(scope="module")
def served(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The model as `mlflow.pyfunc` loads it."""
    from mlflow import pyfunc

    folder = tmp_path_factory.mktemp("served") / "model"
    write_mlflow_model(bundle, folder, "m-1", "r-1")
    return pyfunc.load_model(str(folder))


def rows(*changes: dict[str, Any]) -> pd.DataFrame:
    """Raw listings as pandas reads them."""
    return pd.DataFrame([example_listing() | change for change in changes])


class TestRegister:
    """Models and what is known of them."""

    def test_empty(self, uri: str) -> None:
        """A registry without models has no champion and no versions."""
        registry = Registry(uri, "nothing")
        assert (registry.champion(), registry.versions(), registry.version_of_batch(2)) == (None, [], None)

    def test_facts(self, registry: Registry, bundle: Bundle) -> None:
        """Everything that a version tells is that of the card."""
        found, card = registry.version(1), bundle.card
        assert (found.version, found.aliases, found.metrics) == (1, (), {})
        assert (found.batches, found.rows_train, found.snapshot_id) == (card.batches, 1500, card.snapshot_id)
        assert (found.simulated_data, found.code_version, found.created_at) == (True, "abc", card.created_at)
        assert found.features_fingerprint == card.features_fingerprint
        assert registry.card(1) == card

    def test_list(self, registry: Registry) -> None:
        """The list tells of each version what asking for it tells, the newest first."""
        assert registry.versions() == [registry.version(number) for number in (3, 2, 1)]

    def test_of_batch(self, registry: Registry) -> None:
        """The newest version of a batch is found by its number, and no other batch's."""
        assert [registry.version_of_batch(number) for number in (2, 12, 1)] == [3, 2, None]

    def test_metrics(self, registry: Registry) -> None:
        """Test metrics are kept with the version, the last ones in place of the first."""
        registry.set_metrics(2, {"mae": 9.0})
        registry.set_metrics(2, {"mae": 1.5, "r2": 0.1})
        assert registry.version(2).metrics == {"mae": 1.5, "r2": 0.1}

    def test_files(self, registry: Registry, tmp_path: Path) -> None:
        """Files are kept with the run under their own paths, and again without harm; others are said not to be."""
        (tmp_path / "report").mkdir()
        (tmp_path / "report" / "report.md").write_text("# So good", encoding="utf-8")
        assert not registry.has_file(1, "report/report.md")
        for _ in range(2):
            registry.keep_files(1, tmp_path)
        assert registry.has_file(1, "report/report.md")
        assert not registry.has_file(1, "report/other.md")

    def test_long_card(self, registry: Registry, tmp_path: Path) -> None:
        """A card that MLflow has no room for is whole among the files, and its description says where that is."""
        text = "# Card\n\n" + "One line of it.\n" * 700
        for _ in range(2):
            registry.describe(1, text)
        kept = registry.fetch_file(1, CARD_FILE, tmp_path)
        assert kept is not None
        assert kept.read_text(encoding="utf-8") == text
        found = registry._client.get_model_version(registry.name, "1")
        assert len(found.description) <= 5_000
        assert f"\n\n*The whole card is the file `model_card.md` of the run `{found.run_id}`" in found.description
        assert registry._client.get_run(found.run_id).data.tags["mlflow.note.content"] == found.description
        registry.describe(1, f"{text}One more.\n")
        assert registry._client.get_model_version(registry.name, "1").description != found.description

    def test_run(self, registry: Registry, bundle: Bundle) -> None:
        """The run tells how the model was trained, tree by tree."""
        from mlflow import MlflowClient

        client, run_id = MlflowClient(registry.tracking_uri), registry.version(1).run_id
        run = client.get_run(run_id)
        assert (run.data.params["max_depth"], run.data.params["features.zip_weight"]) == ("4", "5.0")
        assert run.data.tags["snapshot_id"] == str(bundle.card.snapshot_id)
        assert run.data.metrics["validation_mdape"] == bundle.card.metrics["mdape"]
        curve = client.get_metric_history(run_id, "validation_log_mae")
        assert bundle.model.log is not None
        assert [point.value for point in curve] == list(bundle.model.log.curve)
        assert run.info.status == "FINISHED"

    def test_killed(self, database: str, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run whose process ended before it finished is marked as killed by the next one of its batch, no other."""
        registry = Registry(database, "killed")
        other = Bundle(bundle.model, bundle.card.model_copy(update={"batch_number": 12}))
        with monkeypatch.context() as cut_off:
            cut_off.setattr(registry._client, "set_terminated", lambda _: None)
            unfinished = [registry.log_run(each) for each in (bundle, other)]
        finished = registry.log_run(bundle)
        statuses = [registry._client.get_run(run_id).info.status for run_id in (*unfinished, finished)]
        assert statuses == ["KILLED", "RUNNING", "FINISHED"]

    def test_unknown(self, registry: Registry) -> None:
        """A version that does not exist is said not to exist."""
        for ask in (registry.version, registry.card, registry.load):
            with pytest.raises(UnknownVersionError, match="no version 99"):
                ask(99)

    def test_no_lock_file(self, filled: Registry, store: Path) -> None:
        """Nothing of the folder that the pipeline runs in, with a project and its lock, is stored with the model."""
        assert Path("pyproject.toml").exists()
        assert filled.version(1).run_id
        assert [path.name for path in store.rglob("*") if path.name in {"uv.lock", "pyproject.toml"}] == []


class TestMove:
    """Aliases."""

    def test_moves(self, registry: Registry) -> None:
        """An alias stands for one version, and each move tells from where to where."""
        first = registry.move(Alias.CHAMPION, 1, kind=MoveKind.PROMOTION, who="pipeline", why="first")
        second = registry.move(Alias.CHAMPION, 2, kind=MoveKind.MANUAL, who="ann", why="better")
        assert [(move.from_version, move.to_version) for move in (first, second)] == [(None, 1), (1, 2)]
        assert (second.kind, second.alias, second.who, second.why) == ("manual", "champion", "ann", "better")
        assert (registry.champion(), registry.alias(Alias.CHALLENGER)) == (2, None)

    def test_both(self, registry: Registry) -> None:
        """A version can have both aliases, and the list tells which has which."""
        registry.move(Alias.CHALLENGER, 2, kind=MoveKind.PROMOTION, who="a", why="b")
        registry.move(Alias.CHAMPION, 2, kind=MoveKind.PROMOTION, who="a", why="b")
        assert [found.aliases for found in registry.versions()] == [(), (Alias.CHAMPION, Alias.CHALLENGER), ()]
        assert registry.version(2).aliases == (Alias.CHAMPION, Alias.CHALLENGER)

    def test_again(self, registry: Registry) -> None:
        """A move to where the alias is changes nothing and says so."""
        registry.move(Alias.CHAMPION, 1, kind=MoveKind.PROMOTION, who="a", why="b")
        assert registry.move(Alias.CHAMPION, 1, kind=MoveKind.PROMOTION, who="a", why="b").from_version == 1

    def test_nowhere(self, registry: Registry) -> None:
        """An alias cannot move to a version that does not exist; it stays where it is."""
        registry.move(Alias.CHAMPION, 1, kind=MoveKind.PROMOTION, who="a", why="b")
        with pytest.raises(UnknownVersionError):
            registry.move(Alias.CHAMPION, 7, kind=MoveKind.MANUAL, who="a", why="b")
        assert registry.champion() == 1


class TestLoad:
    """Bundles from the registry."""

    def test_same(self, filled: Registry, bundle: Bundle, tmp_path: Path, market: "Market") -> None:
        """What was registered is what is loaded, with and without a cache."""
        columns = to_columns(market.test)
        for cache in (None, tmp_path, tmp_path):
            loaded = filled.load(1, cache)
            assert loaded.digest == bundle.digest
            assert (loaded.model.appraise(columns).price_usd == bundle.model.appraise(columns).price_usd).all()
        assert [path.name for path in tmp_path.iterdir()] == [bundle.digest]

    def test_damaged_cache(self, filled: Registry, bundle: Bundle, tmp_path: Path) -> None:
        """A bundle that was damaged in the cache is downloaded again."""
        filled.load(1, tmp_path)
        (tmp_path / bundle.digest / "model.ubj").write_bytes(b"damaged")
        assert filled.load(1, tmp_path).digest == bundle.digest

    def test_damaged_store(self, database: str, bundle: Bundle, tmp_path: Path) -> None:
        """A bundle that was damaged in the registry is refused."""
        registry = Registry(database, "damaged")
        version = registry.register(bundle)
        (Path(registry._get(version).source.removeprefix("file://")) / BUNDLE_PATH / "model.ubj").write_bytes(
            b"damaged"
        )
        with pytest.raises(DigestError):
            registry.load(version, tmp_path)

    def test_no_room(self, database: str, bundle: Bundle, tmp_path: Path) -> None:
        """A folder that cannot be written is told as what it is, and not as a registry that is away."""
        registry = Registry(database, "no-room")
        version = registry.register(bundle)
        (tmp_path / "cache").write_text("no folder")
        with pytest.raises(RegistryError, match="cache") as refused:
            registry.load(version, tmp_path / "cache" / "models")
        assert not isinstance(refused.value, RegistryUnreachableError)


class TestPyfunc:
    """The model as MLflow serves it."""

    def test_by_alias(self, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is found by its alias, and appraises."""
        from mlflow import pyfunc

        registry.move(Alias.CHAMPION, 1, kind=MoveKind.PROMOTION, who="a", why="b")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.tracking_uri)
        served = pyfunc.load_model(f"models:/{registry.name}@champion")
        assert served.predict(rows({}))["price_usd"][0] > 0

    def test_same_bits(self, served: Any, bundle: Bundle, market: "Market") -> None:
        """Raw listings get the very prices that the library gives for clean ones."""
        raw = market.test.select(RAW_COLUMNS).to_pandas()
        raw["zip_code"] = raw["zip_code"].astype(float)
        appraised = bundle.model.appraise(to_columns(market.test))
        answer = served.predict(raw.drop(columns="price"))
        for name in ("price_usd", "lower_usd", "upper_usd"):
            assert answer[name].to_numpy().tobytes() == getattr(appraised, name).tobytes()

    def test_spellings(self, served: Any) -> None:
        """Numbers or text, whole or not, dates or text: the same house has the same price."""
        variants = [
            {},
            {"zip_code": 6016.0},
            {"zip_code": "06016-1234"},
            {"bed": 3, "house_size": 1617},
            {"prev_sold_date": pd.Timestamp("1999-09-30")},
            {"city": "  East Windsor "},
        ]
        prices = [served.predict(rows(variant))["price_usd"][0] for variant in variants]
        assert prices == [prices[0]] * len(variants)

    def test_mixed(self, served: Any) -> None:
        """A column of several kinds is read cell by cell, and the index is kept."""
        frame = rows({"zip_code": 6016.0}, {"zip_code": "06016"}, {"zip_code": None}).set_index(pd.Index([7, 3, 9]))
        answer = served.predict(frame)
        assert answer.index.tolist() == [7, 3, 9]
        assert answer["price_usd"][7] == answer["price_usd"][3]

    def test_little_known(self, served: Any) -> None:
        """The state is enough; a status that is not given is for_sale."""
        little = served.predict(pd.DataFrame({"state": ["Texas"]}))
        known = served.predict(pd.DataFrame({"state": ["Texas"], "status": ["for_sale"], "bed": [np.nan]}))
        assert little["price_usd"][0] == known["price_usd"][0]

    def test_no_listing(self, served: Any) -> None:
        """A row that is no listing is named, with the rule."""
        with pytest.raises(ListingsError, match=r"row 2: bed must be at least 0, it is '-1\.0'"):
            served.predict(rows({}, {"bed": -1.0}))
        with pytest.raises(ListingsError, match="row 1: state must be one of"):
            served.predict(rows({"state": "Narnia"}))
        with pytest.raises(ListingsError, match="house_size must be at least 100"):
            served.predict(rows({"house_size": 1.0}))

    def test_signature(self, served: Any) -> None:
        """The signature names the fields of a listing, and only the state is required."""
        signature = served.metadata.signature
        assert signature.inputs.required_input_names() == ["state"]
        assert set(signature.inputs.input_names()) == set(example_listing())
        assert signature.outputs.input_names() == ["price_usd", "lower_usd", "upper_usd"]
        assert served.input_example.to_dict("records") == [example_listing()]


class TestUnreachable:
    """A registry that is not there."""

    def test_no_server(self) -> None:
        """It is said within seconds, with what to do."""
        registry = Registry(f"http://127.0.0.1:{free_port()}")
        started = time.monotonic()
        with pytest.raises(RegistryUnreachableError, match="Start it, or set MLFLOW_TRACKING_URI"):
            registry.champion()
        assert time.monotonic() - started < 15

    def test_password(self) -> None:
        """User and password of the address are not told, neither by the library nor in MLflow's own words."""
        address = f"127.0.0.1:{free_port()}"
        with pytest.raises(RegistryUnreachableError, match=address) as refused:
            Registry(f"http://admin:s3cret@{address}").champion()
        assert "admin" not in str(refused.value)
        assert "s3cret" not in str(refused.value)
        assert refused.value.uri == f"http://{address}"

    def test_silent(self) -> None:
        """A port that takes the question and never answers is given up as well."""
        with socket.socket() as listener, pytest.MonkeyPatch.context() as environment:
            environment.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            with pytest.raises(RegistryUnreachableError):
                Registry(f"http://127.0.0.1:{listener.getsockname()[1]}").versions()

    def test_no_mlflow(self, server: str) -> None:
        """A server that is no MLflow is not taken for one without models."""
        with pytest.raises(RegistryError):
            Registry(f"{server}/elsewhere").versions()

    def test_no_database(self, tmp_path: Path) -> None:
        """A database that cannot be opened is named; nobody is told to start it."""
        (tmp_path / "file").write_text("")
        with pytest.raises(RegistryError, match="file") as refused:
            Registry(f"sqlite:///{tmp_path}/file/mlflow.db").champion()
        assert "Start it" not in str(refused.value)

    def test_pages(self, database: str, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
        """More versions than MLflow gives at once are all found."""
        registry = Registry(database, "pages")
        made = [registry.register(bundle) for _ in range(3)]
        monkeypatch.setattr("appraiser_model.registry.PAGE", 2)
        assert [found.version for found in registry.versions()] == made[::-1]

    def test_foreign(self, uri: str) -> None:
        """A version that something else registered is named instead of guessed at."""
        registry = Registry(uri, f"foreign-{next(NUMBERS)}")
        registry._ensure_model()
        run = registry._client.create_run(registry._experiment())
        registry._client.create_model_version(
            registry.name, run.info.artifact_uri, run.info.run_id, await_creation_for=0
        )
        with pytest.raises(RegistryError, match=r"version 1 .* was not registered by appraiser_model"):
            registry.versions()


def test_card_is_small(bundle: Bundle) -> None:
    """The card fits a tag: MLflow takes 100,000 characters, its older databases 5,000."""
    assert len(bundle.card.model_dump_json()) < 5_000
    assert Card.model_validate_json(bundle.card.model_dump_json()) == bundle.card
