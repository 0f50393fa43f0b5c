"""What is counted and measured of the log, for Prometheus, right with several workers."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final, Protocol

from prometheus_client import Counter, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from appraiser_api.metrics import Metrics
from appraiser_schema import LiveError

LIVE_VERSIONS: Final = 5
"""Versions whose live error is told: the newest."""


class Failed(StrEnum):
    """What went wrong: a record could not be written or synced, not shipped (yet), or was set aside."""

    APPEND = "append"
    SYNC = "sync"
    SHIP = "ship"
    DAMAGED = "damaged"
    REFUSED = "refused"


class Log(StrEnum):
    """Each has a process with a log of its own."""

    HOUSES = "houses"
    TABLES = "tables"


class LogCounts(Protocol):
    """Where a log counts."""

    def waiting(self, *, records: int, size_bytes: int, age_seconds: float) -> None:
        """Tell how much waits for the ledger."""

    def shipped(self, count: int) -> None:
        """Count what the ledger has taken."""

    def failed(self, reason: Failed) -> None:
        """Count a failure."""

    def live(self, errors: Sequence[LiveError]) -> None:
        """Tell the live error of the newest versions."""


class LogMetrics:
    """The metrics of the logs of one worker; gauges are summed, and of ages the highest is told."""

    def __init__(self, metrics: Metrics) -> None:
        self._waiting = dict.fromkeys(Log, (0, 0, 0.0))
        self._records = Gauge(
            "appraiser_prediction_backlog_records",
            "Records that are on the disk and not yet in the ledger.",
            multiprocess_mode="livesum",
            **metrics.own,
        )
        self._bytes = Gauge(
            "appraiser_prediction_backlog_bytes",
            "The same in bytes.",
            multiprocess_mode="livesum",
            **metrics.own,
        )
        self._age = Gauge(
            "appraiser_prediction_backlog_age_seconds",
            "Age of the oldest record that is not yet in the ledger; 0 where none is. [s]",
            multiprocess_mode="livemax",
            **metrics.own,
        )
        self._shipped = Counter(
            "appraiser_predictions_shipped", "Appraisals that the ledger has taken, each counted once.", **metrics.own
        )
        self._failures = Counter(
            "appraiser_prediction_log_failures",
            "append, sync: could not be written; ship: the ledger did not take them, they are tried again; damaged, "
            "refused: set aside.",
            ("reason",),
            **metrics.own,
        )
        for reason in Failed:
            self._failures.labels(reason.value)
        self._live = LiveErrors()
        metrics.registry.register(self._live)

    def waiting(self, *, records: int, size_bytes: int, age_seconds: float, log: Log = Log.HOUSES) -> None:
        """Tell how much of a log waits for the ledger."""
        self._waiting[log] = (records, size_bytes, age_seconds)
        logs = tuple(self._waiting.values())
        self._records.set(sum(records for records, _, _ in logs))
        self._bytes.set(sum(size_bytes for _, size_bytes, _ in logs))
        self._age.set(max(age_seconds for _, _, age_seconds in logs))

    def shipped(self, count: int) -> None:
        """Count what the ledger has taken."""
        self._shipped.inc(count)

    def failed(self, reason: Failed) -> None:
        """Count a failure."""
        self._failures.labels(reason.value).inc()

    def live(self, errors: Sequence[LiveError]) -> None:
        """Tell the live error of the newest versions."""
        self._live.errors = tuple(errors[:LIVE_VERSIONS])


class LiveErrors(Collector):
    """The live error as the ledger had it when it was last asked; every worker tells the same."""

    def __init__(self) -> None:
        self.errors: tuple[LiveError, ...] = ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One gauge per figure, with the version of the model as its label."""
        for name, text in _LIVE.items():
            family = GaugeMetricFamily(f"appraiser_live_{name}", text, labels=["model_version"])
            for error in self.errors:
                value = getattr(error, _FIELDS.get(name, name))
                if value is not None:
                    family.add_metric([str(error.model_version)], value)
            yield family


_FIELDS: Final = {"appraisals": "n"}
_LIVE: Final = {
    "appraisals": "Appraisals of which is known what the house sold for, by model version.",
    "mdape": "Median absolute error of appraisals against sales, by model version. [%]",
    "ppe10": "Appraisals within 10 % of what the house sold for, by model version. [%]",
    "median_ratio": "Median of appraisal by sale, by model version.",
    "coverage": "Sales inside the interval that was answered, by model version. [%]",
}
