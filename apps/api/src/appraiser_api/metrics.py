"""What the API counts and measures, for Prometheus. Labels come from lists of our own, never from a request.

Counters and histograms of several workers are summed from files that each of them writes (prometheus_client's
multiprocess mode, which holds where `PROMETHEUS_MULTIPROC_DIR` is set before the first import); one worker alone keeps
them in memory. Both give the same names. A gauge needs `multiprocess_mode="livesum"`, or another mode without the label
pid, to be one number for all workers.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    disable_created_metrics,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from appraiser_api.processes import ProcessesCollector, own_process
from appraiser_api.run_folder import PLACE
from appraiser_schema import Appraisal

SEVERAL: Final = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client's own variable: the folder of the files that several workers write."""

MOST_VERSIONS: Final = 50
"""Versions of the model that get a label of their own while a process lives; those after them share 'other'."""

_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_PRICES: Final = (50e3, 100e3, 150e3, 200e3, 300e3, 400e3, 500e3, 750e3, 1e6, 1.5e6, 2e6, 3e6, 5e6)
_WIDTHS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

if SEVERAL in os.environ and PLACE in os.environ:
    # Files are named for the place instead of the process: they stay few however many workers die, and nothing counted
    # is lost.
    _PLACE: Final = int(os.environ[PLACE])
    values.ValueClass = values.MultiProcessValue(lambda: _PLACE)  # type: ignore[no-untyped-call]

# The one that several workers cannot give is left out for one as well.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The metrics of one application, or of one of its workers."""

    def __init__(self, pids: Callable[[], Iterable[int]] = own_process) -> None:
        """Nothing is counted yet.

        Args:
            pids: Gives the ids of the processes that the service consists of.
        """
        self.registry = CollectorRegistry()
        several = os.environ.get(SEVERAL)
        if several:
            MultiProcessCollector(self.registry, path=several)  # type: ignore[no-untyped-call]
        PlatformCollector(registry=self.registry)
        self.add(ProcessesCollector(pids))
        self.own: dict[str, Any] = {"registry": None if several else self.registry}
        """Arguments for further metrics, so that they are exposed once."""
        self.requests = Counter(
            "appraiser_requests",
            "Requests answered, by method, route template and status.",
            ("method", "route", "status"),
            **self.own,
        )
        self.request_seconds = Histogram(
            "appraiser_request_seconds",
            "Time to answer, by route template and by version of the model that answered; none where no model did. [s]",
            ("route", "model_version"),
            buckets=_SECONDS,
            **self.own,
        )
        self.in_flight = Gauge(
            "appraiser_requests_in_flight",
            "Requests that are being worked on.",
            multiprocess_mode="livesum",
            **self.own,
        )
        self.refusals = Counter(
            "appraiser_refusals", "Requests that were refused before they were looked at.", ("reason",), **self.own
        )
        self.appraised_usd = Histogram(
            "appraiser_appraised_price_usd", "Prices that were answered. [USD]", buckets=_PRICES, **self.own
        )
        self.interval_width = Histogram(
            "appraiser_interval_width_ratio",
            "Width of the intervals that were answered, as a share of the price.",
            buckets=_WIDTHS,
            **self.own,
        )
        self.warned = Counter(
            "appraiser_appraisals_with_warnings",
            "Appraisals of houses unlike those that the model was trained on.",
            **self.own,
        )
        self.champion_version = Gauge(
            "appraiser_champion_version",
            "Version of the model that serves, of several workers the last that took one; 0 is none.",
            multiprocess_mode="livemostrecent",
            **self.own,
        )
        self.champion_loaded = Gauge(
            "appraiser_champion_loaded_timestamp_seconds",
            "When the model that serves was loaded, seconds since 1970.",
            multiprocess_mode="livemostrecent",
            **self.own,
        )
        self.champion_trained = Gauge(
            "appraiser_champion_trained_timestamp_seconds",
            "When the model that serves was trained, seconds since 1970.",
            multiprocess_mode="livemostrecent",
            **self.own,
        )
        self.champion_failures = Counter(
            "appraiser_champion_load_failures",
            "Versions that could not be loaded; the model before them went on serving.",
            **self.own,
        )
        self.registry_looks = Counter(
            "appraiser_registry_looks", "Times that the registry was asked for its champion.", **self.own
        )
        self.registry_up = Gauge(
            "appraiser_registry_up",
            "1 while the registry answered when last asked, by every worker.",
            multiprocess_mode="livemin",
            **self.own,
        )
        self.table_process_deaths = Counter(
            "appraiser_table_process_deaths",
            "Times that the process which works on tables ended by itself; the next table starts another.",
            **self.own,
        )
        self._answered: dict[tuple[str, str, int, int | None], tuple[Counter, Histogram]] = {}
        self._versions: set[int] = set()

    def appraised(self, appraisal: Appraisal) -> None:
        """Count an appraisal."""
        interval = appraisal.interval
        width_usd = 0.0 if interval is None else interval.upper_usd - interval.lower_usd
        self.appraised_at(appraisal.price_usd, width_usd, warned=bool(appraisal.warnings))

    def appraised_at(self, price_usd: float, width_usd: float, *, warned: bool) -> None:
        """Count an appraisal, some 3 µs.

        Args:
            price_usd: The price. [USD]
            width_usd: From the lower to the upper end of its interval; 0 where it has none. [USD]
            warned: Whether there was a warning.
        """
        self.appraised_usd.observe(price_usd)
        if width_usd:
            self.interval_width.observe(width_usd / price_usd)
        if warned:
            self.warned.inc()

    def answered(self, method: str, route: str, status: int, seconds: float, version: int | None = None) -> None:
        """Count one answer, some 3 µs. A method that HTTP does not define counts as 'OTHER'.

        Args:
            method: As it was asked.
            route: Template of the route.
            status: Of the answer.
            seconds: Time to answer. [s]
            version: Of the model that answered, where one did.
        """
        if method not in _METHODS:
            method = "OTHER"
        pair = self._answered.get((method, route, status, version))
        if pair is None:
            pair = (
                self.requests.labels(method, route, str(status)),
                self.request_seconds.labels(route, self._version(version)),
            )
            self._answered[method, route, status, version] = pair
        pair[0].inc()
        pair[1].observe(seconds)

    def add(self, collector: Collector) -> None:
        """Expose figures that are taken when they are asked for."""
        self.registry.register(collector)

    def expose(self) -> bytes:
        """All of it, of all workers, in Prometheus's text format."""
        return generate_latest(self.registry)

    def _version(self, version: int | None) -> str:
        if version is None:
            return "none"
        if version not in self._versions and len(self._versions) >= MOST_VERSIONS:
            return "other"
        self._versions.add(version)
        return str(version)
