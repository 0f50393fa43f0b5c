"""The services that are watched, as they run, with something in them to see: for the tests of what watches them."""

import datetime as dt
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from api_process import ApiProcess, api_process, keep_champion
from pipeline_stand import running_feed
from running_api import wait_for
from tiny_champion import train_tiny

from appraiser_schema import (
    Alias,
    AliasMove,
    Batch,
    BatchStatus,
    Decision,
    DecisionKind,
    Evaluation,
    Feedback,
    Fetch,
    FetchOutcome,
    ModelVersion,
    MoveKind,
    Outcome,
    Prediction,
    Reason,
    example_listing,
    utc_now,
)
from appraiser_store import Ledger

CHAMPION: Final = 1
SALES: Final = 240
"""Enough for the live figures to be held against their limits."""

_GOOD: Final = {"mdape": 15.0, "mae": 40_000.0, "ppe10": 33.0, "coverage": 91.0, "interval_width": 80.0}
_BETTER: Final = {**_GOOD, "mae": 39_500.0}


@dataclass(frozen=True)
class Monitored:
    """Services of ours that run.

    Attributes:
        api: The API.
        addresses: Host and port by the job's name in Prometheus.
    """

    api: ApiProcess
    addresses: Mapping[str, str]

    def text(self, job: str) -> str:
        """What a service tells Prometheus."""
        response = httpx.get(f"http://{self.addresses[job]}/metrics", timeout=30, trust_env=False)
        response.raise_for_status()
        return response.text


@contextmanager
def monitored_services(folder: Path) -> Iterator[Monitored]:
    """Feed, API and the pipeline's exporter, each in a process of its own, after a day's work.

    The champion has 240 sales of which too few lie inside their intervals; of the newest batch a tenth was refused.
    """
    url = f"sqlite:///{folder / 'ledger.db'}"
    write_history(url)
    bundle = train_tiny()
    known = {name: value for name, value in bundle.card.to_dict().items() if name in ModelVersion.model_fields}
    facts = ModelVersion.model_validate({**known, "version": CHAMPION, "aliases": (), "run_id": "1"})
    keep_champion(bundle, facts, folder / "models")
    with (
        running_feed({}) as feed,
        running_exporter({"APPRAISER_LEDGER_URL": url, "APPRAISER_LAKE": str(folder)}) as pipeline,
        # Nobody listens there: the model at hand serves, and the registry is away.
        api_process(folder, "http://127.0.0.1:1") as api,
    ):
        addresses = {"api": f"127.0.0.1:{api.port}", "feed": feed.removeprefix("http://"), "pipeline": pipeline}
        monitored = Monitored(api, addresses)
        use(monitored)
        yield monitored


def use(monitored: Monitored) -> None:
    """Ask for appraisals, be refused once, and take a batch."""
    appraise(monitored, 220)
    too_long = b"POST /predict HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 99999999\r\n\r\n"
    assert b" 413 " in monitored.api.send(too_long)
    feed = f"http://{monitored.addresses['feed']}/data?group_number=1&day=Tuesday"
    httpx.get(feed, trust_env=False).raise_for_status()
    # The live error and the drift are told by other threads, a moment later.
    wait_for(lambda: all(f"appraiser_live_{name}{{" in monitored.text("api") for name in ("mdape", "drift_psi")))


def appraise(monitored: Monitored, houses: int) -> None:
    """Ask what some houses are worth."""
    with httpx.Client(base_url=f"http://{monitored.addresses['api']}", trust_env=False, timeout=30) as client:
        for size in range(houses):
            client.post("/predict", json={**example_listing(), "house_size": 900.0 + size}).raise_for_status()


@contextmanager
def running_exporter(variables: Mapping[str, str]) -> Iterator[str]:
    """The pipeline's exporter on a free port; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "appraiser_pipeline", "metrics", "--port", str(port)]
    process = subprocess.Popen(command, env=os.environ | dict(variables))
    address = f"127.0.0.1:{port}"
    try:
        wait_until_answers(f"http://{address}/metrics", process)
        yield address
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0


def wait_until_answers(url: str, process: "subprocess.Popen[bytes]", seconds: float = 60.0) -> None:
    """Wait until an address answers with 200."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            httpx.get(url, timeout=5, trust_env=False).raise_for_status()
        except httpx.HTTPError:
            assert process.poll() is None, f"what was to answer at {url} ended by itself"
            assert time.monotonic() < deadline, f"nothing answered at {url}"
            time.sleep(0.1)
        else:
            return


def write_history(url: str) -> None:
    """Three batches: the first made a champion, the second a challenger that was rejected, the third is under way."""
    ledger = Ledger(url)
    day = dt.timedelta(days=1)
    for number in range(3):
        at = utc_now() - (2 - number) * day
        ledger.save_batch(_batch(number, at))
        ledger.finish_fetch(ledger.begin_fetch(at), Fetch(at=at, outcome=FetchOutcome.NEW, batch_number=number))
        reason = Reason(rule="target_drift", passed=True, figure=0.1 * number, threshold=0.2, text="Made.")
        _decide(ledger, number, at, DecisionKind.TRAINING, Outcome.TRAIN, reason)
    now = utc_now()
    ledger.save_evaluation(_evaluation(0, now - 2 * day, None))
    ledger.save_evaluation(_evaluation(1, now - day, CHAMPION))
    _decide(ledger, 0, now - 2 * day, DecisionKind.PROMOTION, Outcome.PROMOTE)
    _decide(ledger, 1, now - day, DecisionKind.PROMOTION, Outcome.REJECT)
    for number, (alias, kind) in enumerate(
        ((Alias.CHAMPION, MoveKind.PROMOTION), (Alias.CHALLENGER, MoveKind.REJECTION))
    ):
        at = now - (2 - number) * day
        ledger.record_move(
            AliasMove(at=at, kind=kind, alias=alias, from_version=None, to_version=number + 1, who="test", why="Made.")
        )
    _sell(ledger)
    ledger.close()


def _batch(number: int, at: dt.datetime) -> Batch:
    last = number == 2
    return Batch(
        source="made",
        group_number=1,
        day="Tuesday",
        batch_number=number,
        digest=f"{number:064}",
        size_bytes=1_000,
        received_at=at,
        simulated=True,
        landing_path=f"{number}.json",
        status=BatchStatus.CLEANED,
        rows_received=1_000,
        rows_quarantined=100 if last else 10,
        rows_duplicate=5,
        rows_train=600,
        rows_validation=150,
        rows_test=145,
        clean_snapshot_id=number + 1,
    )


def _decide(
    ledger: Ledger, number: int, at: dt.datetime, kind: DecisionKind, outcome: Outcome, *reasons: Reason
) -> None:
    version = number + 1 if kind is DecisionKind.PROMOTION else None
    ledger.save_decision(
        Decision(
            batch_number=number,
            kind=kind,
            outcome=outcome,
            summary="Made.",
            reasons=reasons,
            decided_at=at,
            model_version=version,
            champion_version=CHAMPION if number else None,
        )
    )


def _evaluation(number: int, at: dt.datetime, champion: int | None) -> Evaluation:
    return Evaluation(
        batch_number=number,
        snapshot_id=number + 1,
        evaluated_at=at,
        rows_test=145,
        challenger_version=number + 1,
        champion_version=champion,
        challenger=_BETTER if champion else _GOOD,
        champion=_GOOD if champion else None,
    )


def _sell(ledger: Ledger) -> None:
    """Houses of which four in five were sold inside their intervals, some 20 % away from the appraisal."""
    at = utc_now() - dt.timedelta(hours=1)
    for number in range(SALES):
        prediction = Prediction(
            request_id=f"sale-{number}",
            at=at,
            listing=dict(example_listing()),
            features_fingerprint="f" * 64,
            price_usd=120_000.0,
            lower_usd=90_000.0,
            upper_usd=150_000.0,
            model_name="house-price",
            model_version=CHAMPION,
            latency_seconds=0.001,
        )
        ledger.save_predictions([prediction])
        sold = 100_000.0 if number % 5 else 200_000.0
        ledger.save_feedback(
            Feedback(request_id=prediction.request_id, sold_price_usd=sold, sold_at=at.date(), received_at=at)
        )
