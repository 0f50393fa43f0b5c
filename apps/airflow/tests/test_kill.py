"""Killed at any point and run again, the pipeline gives the same tables, the same model and the same decisions."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pipeline_stand import running_feed, settings_in

from appraiser_pipeline.context import Context
from appraiser_pipeline.run import Step, call, run_batch
from appraiser_schema import Outcome
from appraiser_store import Table

type Trigger = Callable[[Path, int], bool]

BATCHES = 2
BEFORE = [step for step in Step if step not in {Step.PROMOTE, Step.REJECT}]


@pytest.fixture(scope="module")
def feed_url() -> Iterator[str]:
    """A feed that is large enough to train on its first batch."""
    with running_feed({"APPRAISER_FEED_ROWS": "5000"}) as url:
        yield url


def process_of(step: Step, folder: Path) -> subprocess.Popen[bytes]:
    """A step of the second batch as a process of its own, over stores in a folder."""
    variables = {
        "APPRAISER_LAKE": str(folder / "lake"),
        "APPRAISER_LEDGER_URL": f"sqlite:///{folder / 'ledger.db'}",
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "APPRAISER_CODE_VERSION": "test",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "appraiser_pipeline", "step", step, "--batch", "1"],
        env=os.environ | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_when(process: subprocess.Popen[bytes], folder: Path, trigger: Trigger) -> None:
    """Kill the process at the moment of the trigger; it must not have ended before."""
    deadline = time.monotonic() + 120
    try:
        while not trigger(folder, process.pid):
            assert process.poll() is None, "the step ended before it could be killed"
            assert time.monotonic() < deadline, "the step did not come so far"
            time.sleep(0.002)
    finally:
        process.kill()
    assert process.wait() == -9


def clean_rows_written(folder: Path, _: int) -> bool:
    """The first file of clean listings of batch 1 has appeared."""
    return len(list((folder / "lake").rglob("*clean*/**/*.parquet"))) > 1


def clean_and_split_begun(_: Path, pid: int) -> bool:
    """The libraries of the step are loaded."""
    return "_polars" in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


def training_begun(_: Path, pid: int) -> bool:
    """XGBoost is loaded, and with it the step."""
    return "libxgboost" in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


def registration_begun(folder: Path, _: int) -> bool:
    """Files of the second model have appeared."""
    return len(list((folder / "artifacts").rglob("model.ubj"))) > 1


def state(folder: Path) -> dict[str, Any]:
    """Everything that an interrupted run must have in common with an undisturbed one."""
    with closing(Context(settings_in(folder))) as context:
        ledger, lake, registry = context.ledger, context.lake, context.registry
        versions = [registry.version_of_batch(number) for number in range(BATCHES)]
        return {
            "batches": [b.model_dump(exclude={"received_at", "clean_snapshot_id"}) for b in ledger.batches()],
            "rows": lake.read(Table.CLEAN).sort("row_hash").rows(),
            "quarantine": lake.read(Table.QUARANTINE).sort(pl.all()).rows(),
            "decisions": [d.model_dump(exclude={"decided_at", "snapshot_id"}) for d in ledger.decisions()],
            "moves": [move.model_dump(exclude={"at"}) for move in ledger.moves()],
            "champion": registry.champion(),
            "versions": versions,
            "models": [registry.load(v).model.booster.save_raw("ubj") for v in versions if v is not None],
        }


@pytest.fixture(scope="module")
def undisturbed(feed_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What two batches give when nothing happens."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with closing(Context(settings_in(folder, feed_url))) as context:
        for _ in range(BATCHES):
            list(run_batch(context))
    return state(folder)


class TestKill:
    """SIGKILL, and the same command again."""

    @pytest.mark.parametrize(
        ("step", "trigger"),
        [
            ("clean_and_split", clean_and_split_begun),
            ("clean_and_split", clean_rows_written),
            ("train_model", training_begun),
            ("train_model", registration_begun),
        ],
        ids=["clean_and_split", "clean_rows_written", "train_model", "registration"],
    )
    def test_same_end(
        self, undisturbed: dict[str, Any], feed_url: str, tmp_path: Path, step: str, trigger: Trigger
    ) -> None:
        """The second batch is killed in a step and brought to its end; nothing tells it from an undisturbed one."""
        killed = BEFORE.index(Step(step))
        with closing(Context(settings_in(tmp_path, feed_url))) as context:
            list(run_batch(context))
            for before in BEFORE[:killed]:
                call(before, context, 1)
            kill_when(process_of(Step(step), tmp_path), tmp_path, trigger)
        with closing(Context(settings_in(tmp_path, feed_url))) as context:
            for after in BEFORE[killed:]:
                decision = call(after, context, 1)
            call(Step.PROMOTE if decision.outcome is Outcome.PROMOTE else Step.REJECT, context, 1)
        found = state(tmp_path)
        for name, expected in undisturbed.items():
            assert found[name] == expected, name
