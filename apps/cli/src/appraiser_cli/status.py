"""Which services of a state folder run, and whether they answer."""

import contextlib
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import psutil

from appraiser_cli.home import Home
from appraiser_cli.running import records
from appraiser_cli.running.ending import family
from appraiser_cli.running.ports import LOOPBACK
from appraiser_cli.running.records import UP, ProcessRecord

_HEALTH: Final = {
    "feed": "/health",
    "mlflow": "/health",
    "airflow": "/api/v2/version",
    "api": "/health/live",
    "ui": "/_stcore/health",
    "pipeline-metrics": "/metrics",
    "prometheus": "/-/ready",
}
_LISTENING: Final = ("postgresql", "seaweedfs")
"""Stores, which answer nobody without a key: that they listen has to be enough."""

_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """How a service is.

    Attributes:
        state: 'running', 'silent' (it runs but does not answer), 'orphaned' (its children outlived it) or 'ended'.
        memory_mb: Resident memory of the service and its children, counted once each. [MB]
        since: When it started, UTC.
    """

    name: str
    state: str
    pid: int
    memory_mb: float
    since: str
    url: str

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def services(home: Home) -> list[ServiceStatus]:
    """Every recorded service, the command itself first."""
    found = [_look(entry) for entry in records.load(home.run).values()]
    return sorted(found, key=lambda service: (service.name != UP, service.name))


def _look(entry: ProcessRecord) -> ServiceStatus:
    leader = entry.process()
    members = family(entry) if entry.name != UP else [leader] if leader else []
    state = "running" if leader else "orphaned" if members else "ended"
    if leader and entry.name in _HEALTH and not _answers(entry.url + _HEALTH[entry.name]):
        state = "silent"
    if leader and entry.name in _LISTENING and not _listens(entry.port):
        state = "silent"
    since = datetime.fromtimestamp(entry.created, UTC).strftime("%m-%d %H:%M")
    return ServiceStatus(entry.name, state, entry.pid, _memory(members) / _MEGABYTE, since, entry.url)


def _memory(members: list[psutil.Process]) -> float:
    total = 0.0
    for member in members:
        with contextlib.suppress(psutil.Error):
            total += member.memory_info().rss
    return total


def _listens(port: int | None) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port or 0), timeout=2):
            return True
    except OSError:
        return False


def _answers(url: str) -> bool:
    # httpx would take longer to import than everything else here.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
