"""A version trained again: to the same bytes, and where not, what is different."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from mlflow import MlflowClient
from pipeline_stand import settings_in
from tiny_champion import CONFIG, build_market
from typer.testing import CliRunner

from appraiser_model import Bundle, Card, CardMismatchError, DigestError, TrainingConfig, UnknownVersionError
from appraiser_model import card as card_module
from appraiser_model.bundle import MANIFEST
from appraiser_model.mlflow_model import BUNDLE_PATH
from appraiser_pipeline.__main__ import app
from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import RowsGoneError, SnapshotGoneError
from appraiser_pipeline.model_card import keep_card
from appraiser_pipeline.reproduce import in_words, reproduce_version
from appraiser_pipeline.steps.train_model import train_on
from appraiser_store import Table


def market(seed: int, batch_number: int) -> pl.DataFrame:
    """A batch of clean listings."""
    return build_market(300, seed=seed, batch_number=batch_number)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """Two batches in a lake; version 1 was trained on both, version 2 too, but its card tells another seed."""
    context = Context(settings_in(tmp_path_factory.mktemp("stores")))
    for number in (0, 1):
        snapshot_id = context.lake.replace_batch(Table.CLEAN, number, market(number, number))
    register(context, snapshot_id, CONFIG, told=CONFIG)
    register(context, snapshot_id, CONFIG, told=CONFIG.model_copy(update={"seed": 9}))
    yield context
    context.close()


def register(context: Context, snapshot_id: int, config: TrainingConfig, told: TrainingConfig) -> None:
    """Train as the step does and register, with a card that tells some configuration."""
    model = train_on(context, range(2), snapshot_id, config)
    rows = context.lake.read(Table.CLEAN, snapshot_id=snapshot_id)
    card = Card.of(
        model,
        rows.filter(split="train"),
        config=told,
        source="made",
        simulated_data=True,
        batch_number=1,
        snapshot_id=snapshot_id,
        code_version=context.code_version,
    )
    context.registry.register(Bundle(model, card))


class TestReproduce:
    """`reproduce_version`."""

    def test_identical(self, context: Context) -> None:
        """The same snapshot and configuration give the same files; nothing is registered."""
        before = context.registry.versions()
        found = reproduce_version(context, 1)
        assert found.identical
        assert {file.name for file in found.files} >= {"model.ubj", "features.json", "interval.json", "domain.json"}
        assert found.not_compared == ("card.json",)
        assert found.differences == ()
        assert context.registry.versions() == before
        assert "Identical: every file that decides a price is the same" in in_words(found)

    def test_replaced_batch(self, context: Context) -> None:
        """Other rows under a batch's number change nothing: the snapshot holds those of then."""
        context.lake.replace_batch(Table.CLEAN, 0, market(7, 0))
        assert reproduce_version(context, 1).identical
        context.lake.replace_batch(Table.CLEAN, 0, market(0, 0))

    def test_other_configuration(self, context: Context) -> None:
        """A card that tells another configuration than was used is found out, file by file."""
        found = reproduce_version(context, 2)
        assert not found.identical
        assert not next(file for file in found.files if file.name == "model.ubj").same
        assert next(file for file in found.files if file.name == "domain.json").same
        words = in_words(found)
        assert "NOT identical: model.ubj" in words
        assert "a card that does not tell what was done" in words

    def test_other_library(self, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
        """A library, code or commit of another version is named, also where the files are the same."""
        real = card_module.library_versions()
        monkeypatch.setattr(
            "appraiser_pipeline.reproduce.library_versions", lambda: real | {"xgboost": "9.9", "numpy": real["numpy"]}
        )
        context.__dict__["code_version"] = "other"
        try:
            found = reproduce_version(context, 1)
        finally:
            context.__dict__["code_version"] = "test"
        assert found.differences == (
            f"xgboost was {real['xgboost']} and is 9.9",
            "the code was test and is other",
        )
        assert "- xgboost was" in in_words(found)

    @pytest.mark.parametrize("forged", [False, True])
    def test_damaged(self, context: Context, forged: bool) -> None:  # noqa: FBT001 - a parameter of the test
        """A version whose file was damaged in the store is not called identical, though its manifest fits or not."""
        client = MlflowClient(context.settings.mlflow_tracking_uri, context.settings.mlflow_tracking_uri)
        folder = Path(client.get_model_version("house-price", "1").source.removeprefix("file://")) / BUNDLE_PATH
        before = {path: path.read_bytes() for path in folder.iterdir()}
        damaged = before[folder / "domain.json"] + b" "
        (folder / "domain.json").write_bytes(damaged)
        if forged:
            manifest = json.loads(before[folder / MANIFEST])
            manifest["files"]["domain.json"] = hashlib.sha256(damaged).hexdigest()
            (folder / MANIFEST).write_text(json.dumps(manifest))
        try:
            with pytest.raises(DigestError, match="bundle" if forged else r"domain\.json"):
                reproduce_version(context, 1)
        finally:
            for path, content in before.items():
                path.write_bytes(content)

    def test_unknown(self, context: Context) -> None:
        """A version that there is not is named."""
        with pytest.raises(UnknownVersionError, match="no version 99"):
            reproduce_version(context, 99)


class TestGone:
    """What makes a version impossible to reproduce."""

    def test_snapshot(self, context: Context, tmp_path: Path) -> None:
        """A lake without the snapshot says so, and how that comes."""
        elsewhere = Context(context.settings.model_copy(update={"lake": tmp_path / "lake"}))
        with pytest.raises(SnapshotGoneError, match=r"has no snapshot \d+ of clean.listings. It was expired, or"):
            reproduce_version(elsewhere, 1)
        elsewhere.close()

    def test_files(self, tmp_path: Path) -> None:
        """A snapshot whose files were deleted says so."""
        context = Context(settings_in(tmp_path))
        for number in (0, 1):
            snapshot_id = context.lake.replace_batch(Table.CLEAN, number, market(number, number))
        register(context, snapshot_id, CONFIG, told=CONFIG)
        for file in (tmp_path / "lake").rglob("*.parquet"):
            file.unlink()
        with pytest.raises(RowsGoneError, match="no longer has everything that it was trained on"):
            reproduce_version(context, 1)
        context.close()


class TestCommand:
    """`python -m appraiser_pipeline reproduce`."""

    @pytest.mark.parametrize(("version", "code"), [(1, 0), (2, 1)])
    def test_exit_code(self, context: Context, monkeypatch: pytest.MonkeyPatch, version: int, code: int) -> None:
        """0 where identical, 1 where not; JSON tells every file."""
        settings = context.settings
        monkeypatch.setenv("APPRAISER_LAKE", str(settings.lake))
        monkeypatch.setenv("APPRAISER_LEDGER_URL", settings.ledger_url)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", settings.mlflow_tracking_uri)
        monkeypatch.setenv("APPRAISER_CODE_VERSION", "test")
        done = CliRunner().invoke(app, ["reproduce", str(version), "--json"])
        assert done.exit_code == code, done.output
        assert json.loads(done.stdout)["identical"] is (code == 0)


class TestKeptCard:
    """`keep_card`."""

    def test_kept(self, context: Context) -> None:
        """The card in words is the description of version and run, and a file of the run; once is enough."""
        for _ in range(2):
            keep_card(context, 1, 1)
        client = MlflowClient(context.settings.mlflow_tracking_uri, context.settings.mlflow_tracking_uri)
        version = client.get_model_version("house-price", "1")
        assert version.description.startswith("# House prices, version 1\n")
        assert client.get_run(version.run_id).data.tags["mlflow.note.content"] == version.description
        assert context.registry.has_file(1, "model_card.md")

    def test_away(self, context: Context) -> None:
        """A version that there is not costs nothing."""
        keep_card(context, 99, 1)


class TestForeignCard:
    """A card that this code cannot follow."""

    def test_named(self, context: Context) -> None:
        """The field that is wrong is named, instead of an error of the library underneath."""
        client = MlflowClient(context.settings.mlflow_tracking_uri, context.settings.mlflow_tracking_uri)
        before = client.get_model_version("house-price", "2").tags["card"]
        client.set_model_version_tag("house-price", "2", "card", json.dumps({**json.loads(before), "rounds": "many"}))
        with pytest.raises(
            CardMismatchError, match="the card of version 2 is not one of this appraiser_model, 'rounds'"
        ):
            context.registry.card(2)
        client.set_model_version_tag("house-price", "2", "card", before)
