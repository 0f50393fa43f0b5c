"""Houses that people ask about, held against those that the champion learned from."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pipeline_stand import settings_in
from tiny_champion import build_market, promote, train_tiny
from typer.testing import CliRunner

from appraiser_pipeline.__main__ import app
from appraiser_pipeline.context import Context
from appraiser_pipeline.live_drift import live_drift
from appraiser_pipeline.policy import MonitoringPolicy
from appraiser_schema import (
    LISTING_COLUMNS,
    Batch,
    Decision,
    DecisionKind,
    Outcome,
    Prediction,
    PredictionKind,
    Reason,
    utc_now,
)


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose registry has a champion."""
    folder = tmp_path_factory.mktemp("registered")
    context = Context(settings_in(folder))
    promote(context.registry, context.registry.register(train_tiny()))
    return folder


@pytest.fixture
def context(registered: Path, tmp_path: Path) -> Iterator[Context]:
    """A ledger of its own beside that registry."""
    settings = settings_in(registered).model_copy(update={"ledger_url": f"sqlite:///{tmp_path / 'ledger.db'}"})
    context = Context(settings)
    yield context
    context.close()


def ask(context: Context, market: pl.DataFrame, kind: PredictionKind, *, days_ago: float = 1, version: int = 1) -> None:
    """Put the listings of a market on record as appraised."""
    at = utc_now() - dt.timedelta(days=days_ago)
    listings: list[dict[str, Any]] = market.select(LISTING_COLUMNS).to_dicts()
    context.ledger.save_predictions(
        Prediction(
            request_id=f"{kind.value}-{version}-{days_ago}-{number}" if kind is PredictionKind.SINGLE else kind.value,
            row=0 if kind is PredictionKind.SINGLE else number + 1,
            kind=kind,
            at=at,
            listing={name: str(v) if isinstance(v, dt.date) else v for name, v in listing.items() if v is not None},
            features_fingerprint="f",
            price_usd=1.0,
            model_name="house-price",
            model_version=version,
            latency_seconds=0.1,
        )
        for number, listing in enumerate(listings)
    )


LIKE = build_market(500, seed=0)
"""Of the market that the champion learned from."""

LARGE = LIKE.with_columns(pl.col("house_size") * 3)
"""Houses of three times the size."""


class TestLiveDrift:
    """`live_drift`."""

    def test_alike(self, context: Context) -> None:
        """Houses of the same market ask for nothing."""
        ask(context, LIKE, PredictionKind.SINGLE)
        found = live_drift(context)
        assert found.appraisals == {PredictionKind.SINGLE: 500, PredictionKind.BATCH: 0}
        assert [(reason.rule, reason.passed) for reason in found.reasons] == [("live_drift_single", False)]
        assert found.retrain_reason == ""
        assert "Too few to tell in 7 days: 0 asked about in tables." in found.summary

    def test_others(self, context: Context) -> None:
        """Other houses ask for retraining, with the field that moved most, its index and the limit."""
        ask(context, LARGE, PredictionKind.SINGLE)
        found = live_drift(context)
        assert found.reasons[0].passed
        assert found.reasons[0].parts[0].name == "house_size"
        start = "the houses asked about are others than version 1 learned from. Among 500 houses asked about one by one"
        assert found.retrain_reason.startswith(start)
        assert "house size moved most: its stability index is" in found.retrain_reason

    def test_tables(self, context: Context) -> None:
        """Tables are measured apart and told, and ask only where the policy lets them."""
        ask(context, LIKE, PredictionKind.SINGLE)
        ask(context, LARGE, PredictionKind.BATCH)
        found = live_drift(context)
        assert [(reason.rule, reason.passed) for reason in found.reasons] == [
            ("live_drift_single", False),
            ("live_drift_batch", True),
        ]
        assert found.retrain_reason == ""
        policy = MonitoringPolicy(tables_ask=True)
        asked = Context(context.settings.model_copy(update={"monitoring_policy": policy}))
        assert "asked about in tables" in live_drift(asked).retrain_reason
        asked.close()

    def test_old_and_foreign(self, context: Context) -> None:
        """Appraisals of another version, or of before the window, do not count."""
        ask(context, LARGE, PredictionKind.SINGLE, days_ago=8)
        ask(context, LARGE, PredictionKind.SINGLE, version=2)
        assert live_drift(context).appraisals == dict.fromkeys(PredictionKind, 0)

    @pytest.mark.parametrize(("days", "asks"), [(1, False), (8, True)])
    def test_once(self, context: Context, days: int, asks: bool) -> None:  # noqa: FBT001 - a case
        """What was asked for a few days ago is not asked for again, whatever became of it."""
        at = utc_now() - dt.timedelta(days=days)
        context.ledger.save_batch(
            Batch(
                source="made", group_number=1, day=None, batch_number=0, digest="d", size_bytes=1, received_at=at,
                simulated=True, landing_path="x",
            )
        )  # fmt: skip
        context.ledger.save_decision(
            Decision(
                batch_number=0,
                kind=DecisionKind.TRAINING,
                outcome=Outcome.TRAIN,
                summary="",
                reasons=(Reason(rule="asked_for", passed=True, text="It was asked for."),),
                decided_at=at,
            )
        )
        ask(context, LARGE, PredictionKind.SINGLE)
        found = live_drift(context)
        assert bool(found.retrain_reason) is asks
        assert ("was asked for on" in found.summary) is not asks

    def test_no_champion(self, tmp_path: Path) -> None:
        """Without a champion there is nothing to hold them against."""
        context = Context(settings_in(tmp_path))
        assert live_drift(context).summary == "There is no champion yet."
        context.close()

    def test_command(self, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
        """`drift` tells it on a terminal."""
        ask(context, LARGE, PredictionKind.SINGLE)
        monkeypatch.setenv("APPRAISER_LAKE", str(context.settings.lake))
        monkeypatch.setenv("APPRAISER_LEDGER_URL", context.settings.ledger_url)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", context.settings.mlflow_tracking_uri)
        done = CliRunner().invoke(app, ["drift"])
        assert done.exit_code == 0, done.output
        assert "house size moved most" in done.stdout
