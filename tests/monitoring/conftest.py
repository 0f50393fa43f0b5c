"""Services that run, and a Prometheus that watches them."""

from collections.abc import Iterator

import pytest
from monitored import Monitored, monitored_services
from prometheus_stand import Watch, watching


@pytest.fixture(scope="session")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """Feed, API and exporter after a day's work."""
    with monitored_services(tmp_path_factory.mktemp("monitored")) as services:
        yield services


@pytest.fixture(scope="session")
def watch(monitored: Monitored, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """Prometheus and Alertmanager over them."""
    with watching(tmp_path_factory.mktemp("watch"), monitored.addresses) as watched:
        yield watched
