"""What goes around every request: its id, the security headers, its line in the log, its metrics, the last resort."""

import re
import time
import uuid
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appraiser_api.metrics import Metrics
from appraiser_api.problems import internal_error

REQUEST_ID: Final = "X-Request-ID"
NO_ROUTE: Final = "none"
"""Route label of an address that leads nowhere; the address itself is user input and no label."""

CLIENT_LEFT: Final = 499
"""Status, in log and metrics, of a request whose client hung up while it was still sending; nginx's number."""

_SANE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_QUIET: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
_SECURITY: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}

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
        request_id = _request_id(Headers(scope=scope).get(REQUEST_ID))
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), request_id)
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
            self._record(scope, request_id, status, time.perf_counter() - started)

    def _record(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route, method = _route(scope), scope["method"]
        self.metrics.answered(method, route, status, seconds)
        log = logger.debug if route in _QUIET else logger.info
        milliseconds = round(seconds * 1000, 2)
        log("request", request_id=request_id, method=method, route=route, status=status, milliseconds=milliseconds)


def _request_id(given: str | None) -> str:
    return given if given and _SANE_ID.fullmatch(given) else uuid.uuid4().hex


def _route(scope: Scope) -> str:
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else NO_ROUTE


def _add_headers(headers: MutableHeaders, request_id: str) -> None:
    headers[REQUEST_ID] = request_id
    for name, value in _SECURITY.items():
        headers.setdefault(name, value)
