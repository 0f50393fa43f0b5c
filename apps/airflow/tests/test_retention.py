"""What is cleaned up, and what never is."""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient
from pipeline_stand import settings_in
from tiny_champion import CONFIG, build_market
from typer.testing import CliRunner

from appraiser_model import Bundle, Card
from appraiser_pipeline import retention
from appraiser_pipeline.__main__ import app
from appraiser_pipeline.context import Context
from appraiser_pipeline.policy import RetentionPolicy
from appraiser_pipeline.reproduce import reproduce_version
from appraiser_pipeline.steps.train_model import train_on
from appraiser_schema import Prediction, utc_now
from appraiser_store import Table


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty days from now."""
    monkeypatch.setattr(retention, "utc_now", lambda: utc_now() + dt.timedelta(days=60))


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """Three states of the lake: version 1 was trained on the first, nothing names the second, the third is of now."""
    with closing(Context(settings_in(tmp_path))) as context:
        for seed in (0, 1, 2):
            snapshot_id = context.lake.replace_batch(Table.CLEAN, 0, build_market(300, seed=seed))
            if seed == 0:
                register(context, snapshot_id)
        yield context


def register(context: Context, snapshot_id: int) -> None:
    """Train a version on a snapshot and register it."""
    model = train_on(context, range(1), snapshot_id, CONFIG)
    rows = context.lake.read(Table.CLEAN, snapshot_id=snapshot_id).filter(split="train")
    card = Card.of(
        model, rows, config=CONFIG, source="made", simulated_data=True, batch_number=0, snapshot_id=snapshot_id
    )
    context.registry.register(Bundle(model, card))


def answer(context: Context, days_ago: int) -> None:
    """Put an appraisal on record."""
    context.ledger.save_predictions(
        [
            Prediction(
                request_id=str(days_ago), at=utc_now() - dt.timedelta(days=days_ago), listing={}, price_usd=1.0,
                features_fingerprint="f", model_name="house-price", model_version=1, latency_seconds=0.1,
            )
        ]
    )  # fmt: skip


def delete(context: Context, client: MlflowClient, run_id: str, *, days_ago: int) -> None:
    """Delete a run as a person did some days ago."""
    client.delete_run(run_id)
    database = context.settings.mlflow_tracking_uri.removeprefix("sqlite:///")
    with closing(sqlite3.connect(database)) as connection, connection:
        earlier = "UPDATE runs SET deleted_time = deleted_time - ? WHERE run_uuid = ?"
        connection.execute(earlier, (days_ago * 86_400_000, run_id))


def counts(found: retention.Cleaning) -> dict[str, int]:
    """What went, by its name."""
    return {part.what: part.count for part in found.parts}


class TestClean:
    """`clean` under the defaults."""

    @pytest.mark.usefixtures("later")
    def test_kept_versions(self, context: Context) -> None:
        """A dry run tells what goes and removes nothing; then it goes, and every version can be made again."""
        now = context.lake.read(Table.CLEAN)
        answer(context, 400)
        told = retention.clean(context, dry_run=True)
        assert counts(told)["Snapshots of clean.listings"] == 3  # Of the two replacements: what came between.
        assert retention.in_words(told).endswith("Nothing was removed: this was a dry run.")
        assert counts(retention.clean(context, dry_run=True)) == counts(told)
        assert counts(retention.clean(context)) == counts(told)
        assert counts(retention.clean(context))["Snapshots of clean.listings"] == 0
        assert reproduce_version(context, 1).identical
        assert context.lake.read(Table.CLEAN).equals(now)
        assert context.ledger.prediction("400") is not None

    def test_young(self, context: Context) -> None:
        """What is younger than the policy says stays."""
        assert set(counts(retention.clean(context)).values()) == {0}

    def test_appraisals(self, context: Context) -> None:
        """Appraisals are forgotten only where the policy has a day for them."""
        for days in (5, 40):
            answer(context, days)
        policy = RetentionPolicy(prediction_days=30)
        with closing(Context(context.settings.model_copy(update={"retention_policy": policy}))) as strict:
            assert counts(retention.clean(strict, dry_run=True))["Appraisals in the ledger"] == 1
            assert context.ledger.prediction("40") is not None
            assert counts(retention.clean(strict))["Appraisals in the ledger"] == 1
        assert [context.ledger.prediction(name) is not None for name in ("5", "40")] == [True, False]


class TestTrash:
    """What was deleted in MLflow."""

    @pytest.fixture
    def client(self, context: Context) -> MlflowClient:
        """A client of the registry's database."""
        uri = context.settings.mlflow_tracking_uri
        return MlflowClient(uri, uri)

    def test_removed(self, context: Context, client: MlflowClient) -> None:
        """A run that was deleted is removed for good by MLflow's own command; others stay."""
        experiment = client.get_experiment_by_name("house-price").experiment_id
        gone, young, other = (client.create_run(experiment).info.run_id for _ in range(3))
        delete(context, client, young, days_ago=29)
        delete(context, client, gone, days_ago=31)
        what = "Deleted runs and models in MLflow"
        assert counts(retention.clean(context, dry_run=True))[what] == 1
        assert client.get_run(gone).info.lifecycle_stage == "deleted"
        assert counts(retention.clean(context))[what] == 1
        with pytest.raises(Exception, match="not found"):
            client.get_run(gone)
        assert client.get_run(young).info.lifecycle_stage == "deleted"
        assert client.get_run(other).info.lifecycle_stage == "active"
        assert context.registry.load(1)

    def test_needed(self, context: Context, client: MlflowClient) -> None:
        """The run of a registered version is never removed; it is named, and how to bring it back."""
        run_id = context.registry.version(1).run_id
        delete(context, client, run_id, days_ago=31)
        found = retention.clean(context)
        assert found.parts[-1].count == 0
        assert f"mlflow runs restore --run-id {run_id}" in found.parts[-1].why
        assert client.get_run(run_id).info.lifecycle_stage == "deleted"

    def test_server(self, context: Context) -> None:
        """Where only MLflow's server is known, it is said what to set."""
        from appraiser_pipeline import mlflow_trash

        settings = context.settings.model_copy(update={"mlflow_tracking_uri": "http://127.0.0.1:1"})
        assert "set APPRAISER_MLFLOW_STORE_URI" in (mlflow_trash.look(settings, dt.timedelta(days=30)).problem or "")


def test_command(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """`clean --dry-run` reports every kind of thing, and takes rules for one time."""
    monkeypatch.setenv("APPRAISER_LAKE", str(context.settings.lake))
    monkeypatch.setenv("APPRAISER_LEDGER_URL", context.settings.ledger_url)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", context.settings.mlflow_tracking_uri)
    done = CliRunner().invoke(app, ["clean", "--dry-run", "--policy", "snapshot_days=7"])
    assert done.exit_code == 0, done.output
    assert "Snapshots of clean.listings: 0 would go, 0.0 MB. Those that no batch" in done.stdout
    assert "go after 7 days" in done.stdout
    assert "Appraisals in the ledger: 0 would go. All are kept" in done.stdout
    assert CliRunner().invoke(app, ["clean", "--policy", "snapshot_days=0"]).exit_code != 0
