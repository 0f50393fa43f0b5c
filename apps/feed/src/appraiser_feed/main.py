"""The command: serve listings until told to stop."""

import argparse
import contextlib
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import structlog
import uvicorn
from fastapi import FastAPI

from appraiser_feed.app import create_app
from appraiser_feed.errors import AddressError, FeedError
from appraiser_feed.feed import open_feed
from appraiser_feed.logs import set_up_logs
from appraiser_feed.settings import Settings, read_settings

USAGE_EXIT: Final = 2
GRACE_SECONDS: Final = 10
"""How long a response under way may go on after the signal to stop."""

log = structlog.stdlib.get_logger()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve listings until told to stop; returns the exit code, 2 for data or settings that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m appraiser_feed", description="Serve listings batch by batch.")
    parser.add_argument("--reload", action="store_true", help="start again when the code changes")
    options = parser.parse_args(arguments)
    set_up_logs()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        settings = read_settings()
        # A signal ends the server, and what it raises afterwards has nothing left to interrupt.
        with contextlib.suppress(KeyboardInterrupt):
            (_serve_reloading if options.reload else _serve)(settings)
    except FeedError as error:
        return _refuse(error)
    log.info("stopped")
    return 0


def development_app() -> FastAPI:
    """Build the application anew from the environment, as the development server does after each change."""
    set_up_logs()
    try:
        return create_app(open_feed(read_settings()))
    except FeedError as error:
        sys.exit(_refuse(error))


def configuration(app: FastAPI) -> uvicorn.Config:
    """How the application is served: no log of single requests, and time to finish a response when told to stop."""
    return uvicorn.Config(app, ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=GRACE_SECONDS)


def _serve(settings: Settings) -> None:
    with _bound(settings) as listener:
        app = create_app(open_feed(settings))
        host, port = listener.getsockname()[:2]
        log.info("ready", url=f"http://{host}:{port}", source=app.state.feed.source)
        # Tells what it got once the last response is out: SIGINT and SIGTERM both end in KeyboardInterrupt.
        uvicorn.Server(configuration(app)).run(sockets=[listener])


def _serve_reloading(settings: Settings) -> None:
    uvicorn.run(
        "appraiser_feed.main:development_app",
        factory=True,
        reload=True,
        reload_dirs=[str(Path(__file__).parent)],
        host=settings.host,
        port=settings.port,
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _bound(settings: Settings) -> socket.socket:
    """Take the address before the listings are read; connections are refused until the server listens."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise AddressError(settings.host, settings.port, error.strerror or str(error)) from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise AddressError(settings.host, settings.port, error.strerror or str(error)) from None
    return listener


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - the signature of a signal handler
    raise KeyboardInterrupt


def _refuse(error: FeedError) -> int:
    sys.stderr.write(f"appraiser_feed: {error}\n")
    return USAGE_EXIT
