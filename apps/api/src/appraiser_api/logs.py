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
    renderer: Processor = structlog.processors.JSONRenderer()
    if terminal:
        # The one that it takes by default prints the values of all variables: keys, and houses.
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[*shared, _without_message, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _without_message, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Otherwise MLflow writes its events past all of this.
    os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")


def _without_message(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Of an error, keep where it happened and its kind, and not what its message says: it can hold a house or a key.

    Whoever knows that a message holds neither tells it as a value of the event.
    """
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given if isinstance(given, BaseException) else None
    if error is None and given:
        error = sys.exception()
    if error is not None:
        event["exception"] = "\n".join(_chain(error))
    return event


def _chain(error: BaseException) -> list[str]:
    """The error and those that led to it, the first one first."""
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found:
        found.append(at)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return ["".join(traceback.format_tb(each.__traceback__)) + type(each).__name__ for each in reversed(found)]
