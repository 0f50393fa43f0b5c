"""States of the service one after another, and the rates and times that two of them make."""

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import streamlit as st

from appraiser_schema import RouteTraffic, ServiceState
from appraiser_ui import readings

KEPT: Final = 300
"""States that are kept, a quarter of an hour while somebody looks."""

WATCHING: Final = frozenset({"/service", "/metrics", "/health/live", "/health/ready"})
"""Routes of those who watch: they would be most of what is asked of a quiet service."""


@dataclass(slots=True)
class Samples:
    """The latest states, shared by all who look."""

    states: deque[ServiceState] = field(default_factory=lambda: deque(maxlen=KEPT))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, state: ServiceState) -> Sequence[ServiceState]:
        """Keep a state, and give all of them, the oldest first."""
        with self.lock:
            if not self.states or state.at > self.states[-1].at:
                self.states.append(state)
            return tuple(self.states)


@st.cache_resource(show_spinner=False, max_entries=8)
def samples_of(url: str) -> Samples:
    """The states of the API at an address."""
    del url
    return Samples()


def look(url: str) -> Sequence[ServiceState]:
    """Ask how the service stands, and give the states so far, the oldest first; the last is the present one."""
    return samples_of(url).add(readings.service(url))


@dataclass(frozen=True, slots=True)
class Load:
    """What was asked between two states.

    Attributes:
        per_second: Requests a second.
        failed: Share of them that failed with a status of 500 or more. [%]
        median_ms: Half were answered within this. [ms]
        slow_ms: 95 of 100 were answered within this. [ms]
    """

    per_second: float
    failed: float | None
    median_ms: float | None
    slow_ms: float | None


def load_between(old: ServiceState, new: ServiceState, route: str | None = None) -> Load | None:
    """What was asked between two states; None where the service began anew in between.

    Args:
        old: The earlier one.
        new: The later one.
        route: Of this route alone; of all that do not watch where None.
    """
    seconds = (new.at - old.at).total_seconds()
    before, now = _wanted(old.routes, route), _wanted(new.routes, route)
    asked = _total(now, "requests") - _total(before, "requests")
    failed = _total(now, "failed") - _total(before, "failed")
    if seconds <= 0 or asked < 0 or failed < 0:
        return None
    within = [b - a for a, b in zip(_within(before, new), _within(now, new), strict=True)]
    return Load(
        per_second=asked / seconds,
        failed=failed / asked * 100 if asked else None,
        median_ms=quantile(new.bounds_seconds, within, asked, 0.5),
        slow_ms=quantile(new.bounds_seconds, within, asked, 0.95),
    )


def quantile(bounds: Sequence[float], within: Sequence[int], asked: int, share: float) -> float | None:
    """Time within which a share was answered [ms], between the bounds in proportion; the last bound beyond it.

    As Prometheus's `histogram_quantile` reckons.

    Args:
        bounds: Ascending. [s]
        within: How many were answered within each.
        asked: How many there were; 0 gives None.
        share: Such as 0.95.
    """
    if not asked or not bounds:
        return None
    wanted, low, below = share * asked, 0.0, 0
    for bound, count in zip(bounds, within, strict=True):
        if count >= wanted:
            return (low + (bound - low) * (wanted - below) / max(1, count - below)) * 1000
        low, below = bound, count
    return bounds[-1] * 1000


def _wanted(routes: Iterable[RouteTraffic], route: str | None) -> list[RouteTraffic]:
    return [one for one in routes if (one.route not in WATCHING if route is None else one.route == route)]


def _total(routes: Iterable[RouteTraffic], name: str) -> int:
    return sum(getattr(route, name) for route in routes)


def _within(routes: Sequence[RouteTraffic], state: ServiceState) -> list[int]:
    size = len(state.bounds_seconds)
    rows = [route.within for route in routes if len(route.within) == size]
    return [sum(row[i] for row in rows) for i in range(size)]
