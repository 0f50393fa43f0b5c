"""The parts of the system as this service sees them, each asked aside so that one that hangs holds up nobody."""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from pydantic import AnyHttpUrl

from appraiser_api.holder import Holder
from appraiser_api.metrics import Metrics
from appraiser_api.settings import Settings
from appraiser_api.stores import Stores
from appraiser_schema import BatchStatus, Fetch, FetchOutcome, Part, PartName, PartState
from appraiser_store import Ledger

FRESH_SECONDS: Final = 2.0
"""Answers are good for so long: many who look cost each part one question."""

PATIENCE_SECONDS: Final = 2.5
"""A part that has not answered by then is told as down; its answer counts once it comes."""

_HEALTH: Final = {PartName.FEED: "/health", PartName.AIRFLOW: "/api/v2/monitor/health"}


@dataclass(slots=True)
class _Probe:
    """One part that is asked in a thread, at most once at a time."""

    name: PartName
    ask: Callable[[], Part]
    running: "Future[Part] | None" = None
    asked_at: float = float("-inf")
    last: Part | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, pool: ThreadPoolExecutor) -> None:
        """Ask, unless an answer is fresh or on its way."""
        with self.lock:
            waiting = self.running is not None and not self.running.done()
            if not waiting and time.monotonic() - self.asked_at >= FRESH_SECONDS:
                self.asked_at = time.monotonic()
                self.running = pool.submit(self.ask)

    def answer(self, until: float) -> Part:
        """What it answered, by this moment of the monotonic clock."""
        running = self.running
        assert running is not None  # noqa: S101 - it was begun
        try:
            return running.result(max(0.0, until - time.monotonic()))
        except TimeoutError:
            return Part(
                name=self.name, state=PartState.DOWN, code="silent", detail=f"No answer in {PATIENCE_SECONDS} s."
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the part cannot be used
            return Part(name=self.name, state=PartState.DOWN, code="away", detail=type(error).__name__)


class Parts:
    """Asks the parts of the system. Nothing is asked before somebody looks."""

    def __init__(self, settings: Settings, stores: Stores, holder: Holder, metrics: Metrics) -> None:
        self._stores = stores
        self._holder = holder
        self._metrics = metrics
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="parts")
        self._ledger = _Probe(PartName.LEDGER, self._ask_ledger)
        self._pipeline = _Probe(PartName.PIPELINE, self._ask_pipeline)
        self._feed = _Probe(PartName.FEED, lambda: _ask_http(PartName.FEED, settings.feed_url))
        self._airflow = _Probe(PartName.AIRFLOW, lambda: _ask_http(PartName.AIRFLOW, settings.airflow_url))

    def look(self) -> tuple[Part, ...]:
        """Every part; takes PATIENCE_SECONDS at most."""
        probes = (self._ledger, self._feed, self._airflow, self._pipeline)
        for probe in probes:
            probe.begin(self._pool)
        until = time.monotonic() + PATIENCE_SECONDS
        ledger, feed, airflow, pipeline = (probe.answer(until) for probe in probes)
        return (self._api(), self._registry(), ledger, self._log(), feed, airflow, pipeline)

    def close(self) -> None:
        """Take no more questions; one that hangs is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _api(self) -> Part:
        ready = self._holder.ready()
        if ready.ready:
            return Part(name=PartName.API, state=PartState.UP, code="serves", detail=ready.detail)
        return Part(name=PartName.API, state=PartState.DOWN, code="no_model", detail=ready.detail)

    def _registry(self) -> Part:
        """As the thread saw it that follows the champion; it looks every few seconds."""
        if not _value(self._metrics, "appraiser_registry_looks_total"):
            return Part(name=PartName.REGISTRY, state=PartState.UNKNOWN, code="not_yet", detail="Not asked yet.")
        if _value(self._metrics, "appraiser_registry_up"):
            return Part(name=PartName.REGISTRY, state=PartState.UP, code="answers", detail="It answers.")
        return Part(name=PartName.REGISTRY, state=PartState.DOWN, code="away", detail="It does not answer.")

    def _log(self) -> Part:
        failed = _value(self._metrics, "appraiser_prediction_log_failures_total", reason="append")
        records = int(_value(self._metrics, "appraiser_prediction_backlog_records"))
        state, code = (PartState.DOWN, "not_written") if failed else (PartState.UP, "writes")
        return Part(name=PartName.PREDICTION_LOG, state=state, code=code, detail=f"{records} records wait.")

    def _ask_ledger(self) -> Part:
        began = time.perf_counter()
        self._stores.ledger.read(Ledger.last_batch)
        return Part(
            name=PartName.LEDGER,
            state=PartState.UP,
            code="answers",
            detail="It answers.",
            seconds=round(time.perf_counter() - began, 4),
        )

    def _ask_pipeline(self) -> Part:
        fetch, batch = self._stores.ledger.read(lambda ledger: (ledger.last_fetch(), ledger.last_batch()))
        if fetch is None:
            return Part(name=PartName.PIPELINE, state=PartState.UNKNOWN, code="not_yet", detail="It has not run yet.")
        if batch is not None and batch.status is BatchStatus.STOPPED:
            detail = f"Batch {batch.batch_number} was stopped: {batch.stop_reason}"
            return Part(
                name=PartName.PIPELINE, state=PartState.DOWN, code="stopped", detail=detail, last_at=batch.received_at
            )
        return _by_fetch(fetch)


def _by_fetch(fetch: Fetch) -> Part:
    lost = fetch.outcome is FetchOutcome.LOST
    return Part(
        name=PartName.PIPELINE,
        state=PartState.DOWN if lost else PartState.UP,
        code="lost" if lost else "asked",
        detail=fetch.detail,
        last_at=fetch.at,
    )


def _ask_http(name: PartName, url: AnyHttpUrl | None) -> Part:
    if url is None:
        return Part(name=name, state=PartState.UNKNOWN, code="not_told", detail="Not told where it is.")
    began = time.perf_counter()
    # Proxies are meant for the outside world, not for a neighbour.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{str(url).rstrip('/')}{_HEALTH[name]}", timeout=PATIENCE_SECONDS) as answer:
            status = int(answer.status)
    except urllib.error.HTTPError as error:
        return Part(name=name, state=PartState.DOWN, code="refuses", detail=f"Status {error.code}.")
    except (OSError, ValueError) as error:
        return Part(name=name, state=PartState.DOWN, code="away", detail=type(error).__name__)
    return Part(
        name=name,
        state=PartState.UP,
        code="answers",
        detail=f"Status {status}.",
        seconds=round(time.perf_counter() - began, 4),
    )


def _value(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0
