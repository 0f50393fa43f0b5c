"""Batches once more, and retraining that was asked for."""

import json
from pathlib import Path

import polars as pl
import pytest
from pipeline_stand import Land, rows
from typer.testing import CliRunner

from appraiser_pipeline.__main__ import app
from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError
from appraiser_pipeline.policy import ValidationPolicy
from appraiser_pipeline.run import Step, run_again
from appraiser_pipeline.steps.clean_and_split import clean_and_split
from appraiser_pipeline.steps.decide_training import decide_training
from appraiser_pipeline.steps.fetch_batch import _first_unfinished
from appraiser_pipeline.steps.validate import validate
from appraiser_schema import BatchStatus, DecisionKind, Outcome
from appraiser_schema.frames import normalise
from appraiser_store import Table


def take(context: Context, *numbers: int) -> None:
    """Bring batches that have landed to their decision about training."""
    for number in numbers:
        validate(context, number)
        clean_and_split(context, number)
        decide_training(context, number)


class TestAgain:
    """`run_again`: a batch from its bytes once more."""

    def test_same(self, context: Context, land: Land) -> None:
        """The same code gives the same rows: no table, no batch and no decision is another one."""
        for number in (0, 1):
            land(number, rows(20, bed=2.0 + number))
        take(context, 0, 1)
        tables = [context.lake.snapshot_id(table) for table in Table]
        before = (context.ledger.batches(), context.ledger.decisions())
        for number in (0, 1):
            steps = list(run_again(context, number))
            assert [done.step for done in steps] == [Step.VALIDATE, Step.CLEAN_AND_SPLIT]
            assert steps[-1].summary.endswith("The rows are those of before.")
        assert (context.ledger.batches(), context.ledger.decisions()) == before
        assert [context.lake.snapshot_id(table) for table in Table] == tables

    def test_other_rows(self, context: Context, land: Land, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the code cleans otherwise now, the rows are others, and it is said; the decision stands."""
        land(0, rows(20))
        take(context, 0)
        made = context.ledger.decision(0, DecisionKind.TRAINING)
        module = "appraiser_pipeline.steps.clean_and_split.normalise"
        monkeypatch.setattr(module, lambda raw: normalise(raw).filter(pl.col("row_number") > 5))
        steps = list(run_again(context, 0))
        assert steps[-1].summary.endswith("The rows are others.")
        assert context.lake.batch_rows(Table.CLEAN) == {0: 15}
        assert context.ledger.decision(0, DecisionKind.TRAINING) == made

    def test_stopped(self, context: Context, land: Land) -> None:
        """A batch that was stopped is looked at under the rules of now."""
        listings = rows(20)
        for row in listings[:10]:
            row["status"] = "under_water"
        land(0, listings)
        with pytest.raises(Exception, match="more than 20%"):
            validate(context, 0)
        lax = context.settings.model_copy(update={"validation_policy": ValidationPolicy(most_refused=0.6)})
        again = Context(lax)
        assert [done.step for done in run_again(again, 0)][-1] is Step.DECIDE_TRAINING
        again.close()
        batch = context.ledger.batch(0)
        assert batch is not None
        assert (batch.status, batch.stop_reason) == (BatchStatus.CLEANED, None)

    def test_cut_off(self, context: Context, land: Land) -> None:
        """One that was cut off between rows and clean rows is the next to be worked on, although it was decided."""
        land(0, rows(20))
        take(context, 0)
        assert _first_unfinished(context) is None
        validate(context, 0, again=True)
        assert _first_unfinished(context) == 0

    def test_never_landed(self, context: Context) -> None:
        """A batch that never landed is named."""
        with pytest.raises(OrderError, match="run again of batch 7 has no landed batch"):
            list(run_again(context, 7))

    def test_command(self, context: Context, land: Land, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """`run --again 0-1` takes both, one after the other, and asks no source."""
        for number in (0, 1):
            land(number, rows(20, bed=2.0 + number))
        take(context, 0, 1)
        monkeypatch.setenv("APPRAISER_LAKE", str(context.settings.lake))
        monkeypatch.setenv("APPRAISER_LEDGER_URL", context.settings.ledger_url)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
        monkeypatch.setenv("APPRAISER_FEED_URL", "http://127.0.0.1:1")
        done = CliRunner().invoke(app, ["run", "--again", "0-1", "--json"])
        assert done.exit_code == 0, done.output
        found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        assert [(step["batch_number"], step["step"]) for step in found] == [
            (number, step) for number in (0, 1) for step in ("validate", "clean_and_split")
        ]

    @pytest.mark.parametrize("text", ["5-2", "two", "2-", "-3", ""])
    def test_no_range(self, text: str) -> None:
        """What is no number and no range is refused."""
        done = CliRunner().invoke(app, ["run", f"--again={text}"])
        assert done.exit_code == 2
        assert "--again" in done.output


class TestAskedFor:
    """Retraining that somebody asks for."""

    def test_stored(self, context: Context, land: Land) -> None:
        """It is a reason of its own in the decision, with the words of who asked."""
        land(0, rows(400))
        validate(context, 0)
        clean_and_split(context, 0)
        asked = Context(context.settings.model_copy(update={"retrain_reason": "the market in Utah has turned."}))
        decision = decide_training(asked, 0)
        asked.close()
        assert decision.outcome is Outcome.TRAIN
        reason = next(reason for reason in decision.reasons if reason.rule == "asked_for")
        assert reason.text == "Retraining was asked for: the market in Utah has turned."
        assert "the market in Utah has turned" in decision.summary
        assert context.ledger.decision(0, DecisionKind.TRAINING) == decision

    def test_too_few(self, context: Context, land: Land) -> None:
        """Who asks gets no model of too few listings."""
        land(0, rows(20))
        validate(context, 0)
        clean_and_split(context, 0)
        asked = Context(context.settings.model_copy(update={"retrain_reason": "why not"}))
        assert decide_training(asked, 0).outcome is Outcome.SKIP
        asked.close()

    def test_too_late(self, context: Context, land: Land) -> None:
        """A decision that was made stands."""
        land(0, rows(20))
        take(context, 0)
        asked = Context(context.settings.model_copy(update={"retrain_reason": "too late"}))
        assert decide_training(asked, 0) == context.ledger.decision(0, DecisionKind.TRAINING)
        asked.close()
