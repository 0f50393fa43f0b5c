"""What the service was asked and what waits, as figures, out of the metrics of all workers."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import CollectorRegistry

from appraiser_schema import Backlog, RouteTraffic

CLIENT_ERROR: Final = 400
SERVER_ERROR: Final = 500


@dataclass(slots=True)
class _Route:
    requests: int = 0
    refused: int = 0
    failed: int = 0
    seconds: float = 0.0
    within: dict[float, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(slots=True)
class Figures:
    """The metrics at one moment.

    Attributes:
        in_flight: Requests that are being worked on.
        bounds_seconds: Bounds of the times to answer, ascending.
        routes: What each route was asked, by its name.
        backlog: Answers that wait for the ledger.
    """

    in_flight: int
    bounds_seconds: tuple[float, ...]
    routes: tuple[RouteTraffic, ...]
    backlog: Backlog


def read_figures(registry: CollectorRegistry) -> Figures:
    """Read the figures off the metrics."""
    families = {family.name: family for family in registry.collect()}
    routes = _routes(families)
    bounds = sorted({bound for route in routes.values() for bound in route.within if math.isfinite(bound)})
    return Figures(
        in_flight=int(_sum(families, "appraiser_requests_in_flight")),
        bounds_seconds=tuple(bounds),
        routes=tuple(_told(name, routes[name], bounds) for name in sorted(routes)),
        backlog=Backlog(
            records=int(_sum(families, "appraiser_prediction_backlog_records")),
            size_bytes=int(_sum(families, "appraiser_prediction_backlog_bytes")),
            age_seconds=_sum(families, "appraiser_prediction_backlog_age_seconds"),
            shipped=int(_sum(families, "appraiser_predictions_shipped")),
            failures={
                sample.labels["reason"]: int(sample.value)
                for sample in _samples(families, "appraiser_prediction_log_failures", "_total")
            },
        ),
    )


def _routes(families: dict[str, Metric]) -> dict[str, _Route]:
    routes: dict[str, _Route] = defaultdict(_Route)
    for sample in _samples(families, "appraiser_requests", "_total"):
        route, status, count = routes[sample.labels["route"]], int(sample.labels["status"]), int(sample.value)
        route.requests += count
        route.refused += count if CLIENT_ERROR <= status < SERVER_ERROR else 0
        route.failed += count if status >= SERVER_ERROR else 0
    for sample in _samples(families, "appraiser_request_seconds", "_bucket"):
        routes[sample.labels["route"]].within[float(sample.labels["le"])] += int(sample.value)
    for sample in _samples(families, "appraiser_request_seconds", "_sum"):
        routes[sample.labels["route"]].seconds += sample.value
    return routes


def _told(name: str, route: _Route, bounds: list[float]) -> RouteTraffic:
    return RouteTraffic(
        route=name,
        requests=route.requests,
        refused=route.refused,
        failed=route.failed,
        within=tuple(route.within[bound] for bound in bounds),
        seconds=round(route.seconds, 6),
    )


def _samples(families: dict[str, Metric], name: str, suffix: str) -> Iterable:  # type: ignore[type-arg]
    family = families.get(name)
    return () if family is None else (sample for sample in family.samples if sample.name == name + suffix)


def _sum(families: dict[str, Metric], name: str) -> float:
    family = families.get(name)
    return 0.0 if family is None else sum(sample.value for sample in family.samples)
