"""The process that Prometheus asks: `python -m appraiser_pipeline metrics`."""

import signal
from threading import Event
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

from appraiser_pipeline.errors import AddressError
from appraiser_pipeline.metrics.collector import PipelineMetrics
from appraiser_pipeline.settings import Settings
from appraiser_store import Ledger

log = structlog.get_logger()

_STOP: Final = (signal.SIGTERM, signal.SIGINT)


def serve_metrics(settings: Settings, host: str, port: int) -> None:
    """Answer every path with the metrics until told to stop.

    Args:
        settings: Where the ledger and the lake are.
        host: Address to listen on.
        port: Port to listen on.

    Raises:
        AddressError: Nobody can listen there.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(PipelineMetrics(lambda: Ledger(settings.ledger_url), settings.lake))
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise AddressError(host, port, error.strerror or str(error)) from None
    stopped = Event()
    for number in _STOP:
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
    server.shutdown()
    thread.join()
