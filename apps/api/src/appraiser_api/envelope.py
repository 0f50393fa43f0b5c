"""What goes around every request: its id, the security headers, its line in the log, its metrics, the last resort."""

import re
import time
from collections.abc import Iterable
from typing import Final

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appraiser_api.asked import KEY, Asked
from appraiser_api.metrics import Metrics
from appraiser_api.prediction_log import new_request_id
from appraiser_api.problems import internal_error

_REQUEST_ID: Final = b"x-request-id"
NO_ROUTE: Final = "none"
"""Route label of an address that leads nowhere; the address itself is user input and no label."""

CLIENT_LEFT: Final = 499
"""Status, in log and metrics, of a request whose client hung up while it was still sending; nginx's number."""

_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_QUIET: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)

logger = structlog.get_logger("appraiser_api")


class Envelope:
    """Middleware around the whole application, written against ASGI because it stands in the way of every request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens inside."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Asked(time.perf_counter(), new_request_id(), client_id_in(scope["headers"]))
        request_id = asked.request_id
        scope.setdefault("state", {}).update({KEY: asked, "request_id": request_id})
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, request_id)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            status = CLIENT_LEFT
        except Exception:
            logger.exception("request_failed", request_id=request_id, route=_route(scope))
            if status:
                # The answer has begun: the connection has to break, so that nobody takes half of it for the whole.
                raise
            await internal_error(scope)(scope, receive, send_with_headers)
        finally:
            record(self.metrics, asked, scope["method"], _route(scope), status)


def record(metrics: Metrics, asked: Asked, method: str, route: str, status: int) -> None:
    """Count an answer, and tell the log of it.

    Args:
        metrics: Where it is counted.
        asked: What is known of the request.
        method: As it was asked.
        route: Template of the route.
        status: Of the answer.
    """
    seconds = time.perf_counter() - asked.began
    metrics.answered(method, route, status, seconds, asked.model_version)
    # An answer that is on record needs no line as well: it would take a fifth of the time of all.
    log = logger.debug if asked.on_record or route in _QUIET else logger.info
    told = {} if asked.key_name is None else {"key": asked.key_name}
    milliseconds = round(seconds * 1000, 2)
    log(
        "request",
        request_id=asked.request_id,
        method=method,
        route=route,
        status=status,
        milliseconds=milliseconds,
        **told,
    )


def client_id_in(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The id that the client sent, if it can stand in a log."""
    for name, value in headers:
        if name == _REQUEST_ID:
            return value.decode("ascii") if _SANE_ID.fullmatch(value) else None
    return None


def _route(scope: Scope) -> str:
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else NO_ROUTE


def _add_headers(message: Message, request_id: str) -> None:
    given = message.get("headers", ())
    present = {name for name, _ in given}
    message["headers"] = [
        *given,
        (_REQUEST_ID, request_id.encode()),
        *[header for header in SECURITY if header[0] not in present],
    ]
