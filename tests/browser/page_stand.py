"""What tests of the page stand on: stores with models and their history, the real API over them, the real page."""

import datetime as dt
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import polars as pl
from browser.page_reports import keep_reports
from tiny_champion import build_market, train_tiny

from appraiser_model import COMPARABLES_FILE, Bundle, Registry, measure
from appraiser_model.comparables import kept_of
from appraiser_schema import (
    Alias,
    Batch,
    BatchStatus,
    Decision,
    DecisionKind,
    MoveKind,
    Outcome,
    Reason,
)
from appraiser_schema.frames import to_columns
from appraiser_store import Ledger

RECEIVED: Final = dt.datetime(2026, 11, 1, 9, 30, tzinfo=dt.UTC)
OUTCOMES: Final = (Outcome.PROMOTE, Outcome.REJECT)
"""What was decided about version 1 and version 2."""


def build_stores(folder: Path) -> None:
    """Two versions of a tiny model in a registry, the first one the champion, and a ledger that says why."""
    registry, ledger = _registry(folder), Ledger(ledger_url(folder))
    bundles = [train_tiny(seed=number, batch_number=number) for number in range(len(OUTCOMES))]
    for number, outcome in enumerate(OUTCOMES):
        version = _register(registry, bundles[number], number)
        ledger.save_batch(_batch(number))
        ledger.save_decision(_decision(number, version, outcome))
    ledger.record_move(registry.move(Alias.CHAMPION, 1, kind=MoveKind.PROMOTION, who="test", why="It is the first."))
    keep_reports(ledger, bundles)
    ledger.close()


def build_empty_stores(folder: Path) -> None:
    """A registry without a model, and a ledger with one batch that is being checked."""
    ledger = Ledger(ledger_url(folder))
    ledger.save_batch(_batch(0).model_copy(update={"status": BatchStatus.LANDED}))
    ledger.close()


def ledger_url(folder: Path) -> str:
    """Where the ledger is."""
    return f"sqlite:///{folder / 'ledger.db'}"


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_api(
    folder: Path, port: int, *, ready: bool = True, settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The real API over the stores in a folder; its address, once it can appraise (or answers at all)."""
    variables = {
        "APPRAISER_API_PORT": str(port),
        "APPRAISER_LEDGER_URL": ledger_url(folder),
        "APPRAISER_MODEL_CACHE": str(folder / "models"),
        "APPRAISER_POLL_SECONDS": "0.2",
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        **(settings or {}),
    }
    path = "/health/ready" if ready else "/health/live"
    with _running("appraiser_api", variables, folder / "api.log", f"http://127.0.0.1:{port}", path) as url:
        yield url


@contextmanager
def running_page(api_url: str, folder: Path, port: int, key: str | None = None) -> Iterator[str]:
    """The real page over an API, with its key where that asks for one; its address."""
    variables = {"APPRAISER_UI_PORT": str(port), "APPRAISER_API_URL": api_url}
    variables |= {} if key is None else {"APPRAISER_API_KEY": key}
    url = f"http://127.0.0.1:{port}"
    with _running("appraiser_ui", variables, folder / "ui.log", url, "/_stcore/health") as started:
        yield started


@contextmanager
def _running(module: str, variables: dict[str, str], log: Path, url: str, path: str) -> Iterator[str]:
    with log.open("ab") as sink:
        command = [sys.executable, "-m", module]
        process = subprocess.Popen(command, env=os.environ | variables, stdout=sink, stderr=sink)
    try:
        _wait(lambda: _answers(url + path), process, log)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(condition: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, f"it ended by itself:\n{log.read_text()[-3000:]}"
        assert time.monotonic() < deadline, f"it did not come up:\n{log.read_text()[-3000:]}"
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _registry(folder: Path) -> Registry:
    return Registry(f"sqlite:///{folder / 'mlflow.db'}")


def _register(registry: Registry, bundle: Bundle, number: int) -> int:
    version = registry.register(bundle)
    test = build_market(seed=7).filter(pl.col("split") == "test")
    registry.set_metrics(version, measure(test["price"], bundle.model.appraise(to_columns(test))))
    _keep_listings(registry, version, number)
    return version


def _keep_listings(registry: Registry, version: int, number: int) -> None:
    """What the pipeline keeps with a version for people to compare with."""
    learned = build_market(seed=number, batch_number=number).filter(split="train")
    with tempfile.TemporaryDirectory() as scratch:
        kept_of([learned], len(learned)).write_parquet(Path(scratch) / COMPARABLES_FILE)
        registry.keep_files(version, Path(scratch))


def _batch(number: int) -> Batch:
    return Batch(
        source="made-up market",
        group_number=1,
        day="Tuesday",
        batch_number=number,
        digest=f"{number:064x}",
        size_bytes=100_000,
        received_at=RECEIVED + dt.timedelta(days=number),
        simulated=True,
        landing_path=f"{number:064x}.json",
        status=BatchStatus.CLEANED,
        rows_received=1_234 + number,
        rows_quarantined=34,
        rows_duplicate=0,
        rows_train=840,
        rows_validation=180,
        rows_test=180 + number,
    )


def _decision(number: int, version: int, outcome: Outcome) -> Decision:
    gain = 0.12 if outcome is Outcome.PROMOTE else 0.004
    text = f"The mean absolute error is {gain:.1%} smaller, and it must be 3.0% smaller."
    return Decision(
        batch_number=number,
        kind=DecisionKind.PROMOTION,
        outcome=outcome,
        summary=text,
        reasons=(Reason(rule="mae", passed=outcome is Outcome.PROMOTE, figure=-gain * 100, threshold=-3, text=text),),
        decided_at=RECEIVED + dt.timedelta(days=number, minutes=5),
        model_version=version,
        champion_version=number or None,
    )
