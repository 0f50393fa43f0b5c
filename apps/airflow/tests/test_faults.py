"""Killed at any point, without a disk, a registry or a clock, and run again: the same tables, model and decisions."""

import datetime as dt
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import time_machine
from pipeline_stand import running_feed, settings_in

from appraiser_model import COMPARABLES_FILE
from appraiser_pipeline.context import Context
from appraiser_pipeline.run import Step, call, run_again, run_batch
from appraiser_pipeline.steps.train_model import SCRATCH
from appraiser_schema import Outcome
from appraiser_store import Table
from appraiser_store.history import reign_at

type Trigger = Callable[[Path, int], bool]

BATCHES = 2
BEFORE = [step for step in Step if step not in {Step.PROMOTE, Step.REJECT}]


@pytest.fixture(scope="module")
def feed_url() -> Iterator[str]:
    """A feed that is large enough to train on its first batch."""
    with running_feed({"APPRAISER_FEED_ROWS": "5000"}) as url:
        yield url


def process_of(
    step: Step, folder: Path, variables: dict[str, str] | None = None, *, longest_file: int | None = None
) -> subprocess.Popen[bytes]:
    """A step of the second batch as a process of its own, over stores in a folder.

    Args:
        step: Which.
        folder: Of the stores.
        variables: Besides.
        longest_file: How long a file may become, in the place of a disk that fills. [bytes]
    """
    own = {
        "APPRAISER_LAKE": str(folder / "lake"),
        "APPRAISER_LEDGER_URL": f"sqlite:///{folder / 'ledger.db'}",
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "APPRAISER_CODE_VERSION": "test",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "appraiser_pipeline", "step", step, "--batch", "1"],
        env=os.environ | own | (variables or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if longest_file is None else subprocess.PIPE,
    )
    if longest_file is not None:
        # It takes a second until anything is written.
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (longest_file, longest_file))
    return process


def kill_when(process: subprocess.Popen[bytes], folder: Path, trigger: Trigger) -> None:
    """Kill the process at the moment of the trigger; it must not have ended before."""
    try:
        wait_until(process, folder, trigger)
    finally:
        process.kill()
    assert process.wait() == -9


def wait_until(process: subprocess.Popen[bytes], folder: Path, trigger: Trigger) -> None:
    """Wait for the moment of the trigger; the process must not have ended before."""
    deadline = time.monotonic() + 120
    while not trigger(folder, process.pid):
        assert process.poll() is None, "the step ended before it could be disturbed"
        assert time.monotonic() < deadline, "the step did not come so far"
        time.sleep(0.002)


def clean_rows_written(folder: Path, _: int) -> bool:
    """The first file of clean listings of batch 1 has appeared."""
    return len(list((folder / "lake").rglob("*clean*/**/*.parquet"))) > 1


def clean_and_split_begun(_: Path, pid: int) -> bool:
    """The libraries of the step are loaded."""
    return "_polars" in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


def training_begun(_: Path, pid: int) -> bool:
    """XGBoost is loaded, and with it the step."""
    return "libxgboost" in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


def listings_gathered(folder: Path, pid: int) -> bool:
    """The training has opened its files without names."""
    scratch = str(folder / "lake" / SCRATCH)
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            if str(handle.readlink()).startswith(scratch):
                return True
    return False


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
            "files": [
                registry.has_file(v, file)
                for v in versions
                if v is not None
                for file in (COMPARABLES_FILE, "model_card.md", "report/report.md")
            ],
        }


@pytest.fixture(scope="module")
def undisturbed(feed_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What two batches give when nothing happens."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with closing(Context(settings_in(folder, feed_url))) as context:
        for _ in range(BATCHES):
            list(run_batch(context))
    return state(folder)


def prepare(context: Context, step: Step) -> None:
    """Take the first batch to its end, and the second one up to a step."""
    list(run_batch(context))
    for before in BEFORE[: BEFORE.index(step)]:
        call(before, context, 1)


def finish(folder: Path, step: Step) -> None:
    """Take the second batch from a step to its end, as the next run does."""
    with closing(Context(settings_in(folder))) as context:
        for after in BEFORE[BEFORE.index(step) :]:
            decision = call(after, context, 1)
        call(Step.PROMOTE if decision.outcome is Outcome.PROMOTE else Step.REJECT, context, 1)


def hold_against(undisturbed: dict[str, Any], folder: Path) -> None:
    """Nothing tells the stores in a folder from undisturbed ones."""
    found = state(folder)
    for name, expected in undisturbed.items():
        assert found[name] == expected, name


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
        with closing(Context(settings_in(tmp_path, feed_url))) as context:
            prepare(context, Step(step))
            kill_when(process_of(Step(step), tmp_path), tmp_path, trigger)
        finish(tmp_path, Step(step))
        hold_against(undisturbed, tmp_path)


class TestDiskFull:
    """No file can grow beyond a few kilobytes; then there is room again."""

    def test_same_end(self, undisturbed: dict[str, Any], feed_url: str, tmp_path: Path) -> None:
        """Cleaning fails, then training, and neither leaves what the next run would take for whole."""
        with closing(Context(settings_in(tmp_path, feed_url))) as context:
            prepare(context, Step.CLEAN_AND_SPLIT)
            fill_disk(Step.CLEAN_AND_SPLIT, tmp_path, 4_096)
            call(Step.CLEAN_AND_SPLIT, context, 1)
            call(Step.DECIDE_TRAINING, context, 1)
            fill_disk(Step.TRAIN_MODEL, tmp_path, 65_536)
        finish(tmp_path, Step.TRAIN_MODEL)
        hold_against(undisturbed, tmp_path)


def fill_disk(step: Step, folder: Path, longest_file: int) -> None:
    """Let a step fail for want of room, in words that name it."""
    process = process_of(step, folder, longest_file=longest_file)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert re.search(b"too large|disk", told, re.IGNORECASE), told.decode()


@contextmanager
def mlflow_server(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A real server over the registry in a folder, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
    line += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--no-serve-artifacts"]
    line += ["--default-artifact-root", str(folder / "artifacts")]
    with (folder / "server.log").open("wb") as log:
        variables = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        process = subprocess.Popen(line, stdout=log, stderr=log, env=variables, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while not _answers(f"http://127.0.0.1:{port}/health"):
            assert process.poll() is None, (folder / "server.log").read_text()
            assert time.monotonic() < deadline, (folder / "server.log").read_text()
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}", process
    finally:
        _kill_session(process)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - a URL of our own
            return True
    except OSError:
        return False


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class TestRegistryAway:
    """MLflow is there when a training begins, and gone when it ends."""

    def test_same_end(
        self, undisturbed: dict[str, Any], feed_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The step fails, no version appears, and the next run trains to the same bytes."""
        module = "appraiser_pipeline.steps.train_model.keep_listings"
        with closing(Context(settings_in(tmp_path, feed_url))) as context:
            prepare(context, Step.TRAIN_MODEL)
        with mlflow_server(tmp_path) as (url, server):
            process = process_of(Step.TRAIN_MODEL, tmp_path, {"MLFLOW_TRACKING_URI": url})
            wait_until(process, tmp_path, listings_gathered)
            _kill_session(server)
            assert process.wait(timeout=120) == 1
        with closing(Context(settings_in(tmp_path))) as context:
            assert context.registry.version_of_batch(1) is None
            # What goes away once the version is there, and before its listings are kept, costs none of them.
            with monkeypatch.context() as away:
                away.setattr(module, lambda *_: (_ for _ in ()).throw(ConnectionError("gone")))
                with pytest.raises(ConnectionError):
                    call(Step.TRAIN_MODEL, context, 1)
            assert context.registry.version_of_batch(1) == 2
        finish(tmp_path, Step.TRAIN_MODEL)
        hold_against(undisturbed, tmp_path)


class TestClock:
    """The clock jumps in the middle of a batch, as when it is set right."""

    def test_same_end(self, undisturbed: dict[str, Any], feed_url: str, tmp_path: Path) -> None:
        """Forward four hundred days, back three: nothing is decided by it, and what came last counts as the last."""
        start = dt.datetime.now(dt.UTC)
        with closing(Context(settings_in(tmp_path, feed_url))) as context:
            list(run_batch(context))
            steps = run_batch(context)
            next(steps)
            with time_machine.travel(start + dt.timedelta(days=400), tick=True):
                while next(steps).step is not Step.TRAIN_MODEL:
                    pass
            with time_machine.travel(start - dt.timedelta(days=3), tick=True):
                list(steps)
                assert list(run_again(context, 1))[-1].summary.endswith("The rows are those of before.")
            now = dt.datetime.now(dt.UTC)
            assert reign_at(context.ledger.moves(), now, now).version == context.registry.champion()
        hold_against(undisturbed, tmp_path)
