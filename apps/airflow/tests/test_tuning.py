"""The search of parameters before a training, and by its own command."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pipeline_stand import running_feed, settings_in
from structlog.testing import capture_logs

from appraiser_model import TrainingConfig
from appraiser_pipeline.context import Context
from appraiser_pipeline.run import Step, call
from appraiser_pipeline.steps.train_model import train_on
from appraiser_pipeline.tuning import search_of, tune

START = TrainingConfig(seed=1, threads=2)


@pytest.fixture
def cleaned(tmp_path: Path) -> Path:
    """Stores in which the first batch of a small simulated source was cleaned, and nothing was searched yet."""
    folder = tmp_path / "stores"
    folder.mkdir()
    with running_feed({"APPRAISER_FEED_ROWS": "5000"}) as url, closing(Context(settings_in(folder, url))) as context:
        for step in (Step.FETCH_BATCH, Step.VALIDATE, Step.CLEAN_AND_SPLIT, Step.DECIDE_TRAINING):
            call(step, context, 0)
    return folder


@pytest.fixture
def context(cleaned: Path) -> Iterator[Context]:
    """A pipeline over these stores that searches before it trains."""
    with closing(Context(settings_in(cleaned, tuning_trials=3))) as context:
        yield context


def run_tune(folder: Path, trials: int) -> Sequence[dict[str, Any]]:
    """What `python -m appraiser_pipeline tune --json` prints."""
    settings = settings_in(folder)
    environment = os.environ | {
        "APPRAISER_LAKE": str(settings.lake),
        "APPRAISER_LEDGER_URL": settings.ledger_url,
        "MLFLOW_TRACKING_URI": settings.mlflow_tracking_uri,
    }
    command = [sys.executable, "-m", "appraiser_pipeline", "tune", "--trials", str(trials), "--json"]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in printed.splitlines() if line.startswith(('{"trial"', '{"best"'))]


class TestTuning:
    """Trials over the clean listings of a snapshot."""

    def test_command_then_training(self, context: Context, cleaned: Path) -> None:
        """The command searches; the training goes on with its trials, and its card tells the best parameters."""
        told = run_tune(cleaned, 2)
        assert [next(iter(line)) for line in told] == ["trial", "trial", "best"]
        assert told[0]["trial"]["parameters"]["learning_rate"] == START.learning_rate
        version = call(Step.TRAIN_MODEL, context, 0)
        snapshot = context.batch(0, "test").clean_snapshot_id
        assert snapshot is not None
        search = search_of(context, snapshot, START)
        assert [trial.number for trial in search.trials] == [0, 1, 2]
        assert search.trials[0].score == told[0]["trial"]["score"]
        card = context.registry.card(version)
        assert card.config == search.best
        assert (run_tune(cleaned, 2)) == [{"best": told_of(search)}]

    def test_other_start(self, cleaned: Path) -> None:
        """After an upgrade that changes a default the search begins anew; the log names the one that is left."""
        with closing(Context(settings_in(cleaned))) as context:
            snapshot = context.batch(0, "test").clean_snapshot_id
            assert snapshot is not None
            changed = START.model_copy(update={"seed": 5})
            search_before = len(search_of(context, snapshot, changed).trials)
            with capture_logs() as logs:
                for config in (START, changed):
                    list(tune(context, snapshot, config, lambda tried: train_on(context, [0], snapshot, tried), 1))
            assert search_before == 0
            assert [log["event"] for log in logs if log["log_level"] == "warning"] == ["search_not_continued"]
            assert [trial.number for trial in search_of(context, snapshot, changed).trials] == [0]

    def test_no_batch(self, tmp_path: Path) -> None:
        """Without clean listings there is nothing to search on, and it says which step is missing."""
        (tmp_path / "lake").mkdir()
        with pytest.raises(subprocess.CalledProcessError) as error:
            run_tune(tmp_path, 1)
        assert "clean_and_split" in error.value.stderr


def told_of(search: Any) -> dict[str, Any]:
    """The best trial as the command prints it."""
    best = search.best_trial
    return {name: getattr(best, name) for name in ("number", "score", "error_log", "trees", "seconds", "parameters")}
