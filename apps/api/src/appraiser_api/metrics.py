"""What the API counts and measures, for Prometheus. Labels come from lists of our own, never from a request."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector

from appraiser_schema import Appraisal

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_PRICES: Final = (50e3, 100e3, 150e3, 200e3, 300e3, 400e3, 500e3, 750e3, 1e6, 1.5e6, 2e6, 3e6, 5e6)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The metrics of one application. There is one process per port, so that its counters are whole."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Counter(
            "appraiser_requests",
            "Requests answered, by method, route template and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "appraiser_request_seconds",
            "Time to answer, by route template. [s]",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.appraised_usd = Histogram(
            "appraiser_appraised_price_usd",
            "Prices that were answered. [USD]",
            buckets=_PRICES,
            registry=self.registry,
        )
        self.warned = Counter(
            "appraiser_appraisals_with_warnings",
            "Appraisals of houses unlike those that the model was trained on.",
            registry=self.registry,
        )
        self.champion_version = Gauge(
            "appraiser_champion_version", "Version of the model that serves; 0 is none.", registry=self.registry
        )
        self.champion_loaded = Gauge(
            "appraiser_champion_loaded_timestamp_seconds",
            "When the model that serves was loaded, seconds since 1970.",
            registry=self.registry,
        )
        self.champion_failures = Counter(
            "appraiser_champion_load_failures",
            "Versions that could not be loaded; the model before them went on serving.",
            registry=self.registry,
        )
        self.registry_looks = Counter(
            "appraiser_registry_looks", "Times that the registry was asked for its champion.", registry=self.registry
        )
        self.registry_up = Gauge(
            "appraiser_registry_up", "1 while the registry answered when last asked.", registry=self.registry
        )

    def appraised(self, appraisal: Appraisal) -> None:
        """Count an appraisal."""
        self.appraised_usd.observe(appraisal.price_usd)
        if appraisal.warnings:
            self.warned.inc()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer. A method that HTTP does not define counts as 'OTHER'."""
        known = method if method in _METHODS else "OTHER"
        self.requests.labels(known, route, str(status)).inc()
        self.request_seconds.labels(route).observe(seconds)
