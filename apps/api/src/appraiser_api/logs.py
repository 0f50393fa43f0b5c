"""Logs: JSON lines where a program reads them, colours on a terminal."""

import logging
import os
import sys
import traceback

import structlog
from structlog.types import EventDict, Processor


def configure_logs() -> None:
    """Send our events, and those of uvicorn, MLflow and other libraries, to standard error in one form."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    terminal = sys.stderr.isatty()
    tracebacks: list[Processor] = [_without_message] if terminal else [_without_message, _format]
    renderer: Processor = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, *tracebacks, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tracebacks, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Otherwise MLflow writes its events past all of this.
    os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")


_format = structlog.processors.format_exc_info


def _without_message(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Of a fault in a request, keep where it happened and not what its message says: it can hold the house."""
    if event.get("exc_info") and "request_id" in event:
        error = sys.exception()
        if error is not None:
            del event["exc_info"]
            event["exception"] = "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
    return event
