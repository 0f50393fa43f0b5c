"""Who may ask, how much, and how much at a time: settled before a request is looked at."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appraiser_api.access import needed_scope
from appraiser_api.admission import Admission, key_in
from appraiser_api.asked import Asked
from appraiser_api.body import BODY_LIMIT_BYTES
from appraiser_api.draining import DRAINING
from appraiser_api.errors import ApiError, BodyTooLargeError, TooSlowError
from appraiser_api.limits import Body
from appraiser_api.metrics import Metrics
from appraiser_api.problems import refusal
from appraiser_api.settings import Settings

BATCH: Final = "/predict/batch"
_ALWAYS: Final = frozenset({"/health/live", "/health/ready", "/metrics", "/admin/reload"})
"""Whoever watches the service is answered however much there is to do."""

_UNTIMED: Final = _ALWAYS | {"/predict", BATCH, "/admin/rollback"}
"""A house takes a fraction of a millisecond; a table may take as long as it is long, part by part; whoever moves the
champion waits until it is known whether it moved."""

_CLOSE: Final = (b"connection", b"close")

logger = structlog.get_logger("appraiser_api")


@dataclass(slots=True)
class _Headers:
    """What the headers say that matters here."""

    length: int = 0
    has_body: bool = False


class Guard:
    """Middleware inside the envelope, so that a refusal has its id, its headers, its line in the log and its count.

    Args:
        app: What is guarded.
        settings: The limits.
        metrics: Where refusals and requests in flight are counted.
        admission: Who may ask, how often, and how many at a time.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, admission: Admission) -> None:
        self.app = app
        self._metrics = metrics
        self._admission = admission
        self._body_seconds = settings.api_body_seconds
        self._handler_seconds = settings.api_handler_seconds
        self._batch_bytes = settings.batch_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if DRAINING.on:
            send = _closing(send)
        path: str = scope["path"]
        headers = _read_headers(scope)
        limit = self._batch_bytes if path == BATCH else BODY_LIMIT_BYTES
        try:
            self._admit(scope, path, headers, limit)
        except ApiError as error:
            await self._refuse(error, scope, receive, send)
            return
        if headers.has_body:
            receive = Body(receive, limit, self._body_seconds)
        self._begin()
        if path in _UNTIMED:
            try:
                await self._answer(scope, receive, send)
            finally:
                self._end()
        else:
            await self._answer_in_time(scope, receive, send)

    def _admit(self, scope: Scope, path: str, headers: _Headers, limit: int) -> None:
        needed = needed_scope(scope["method"], path)
        asked = Asked.of(scope)
        asked.key_name = self._admission.identify(key_in(scope["headers"]), needed)
        client = asked.key_name or (scope.get("client") or ("",))[0]
        self._admission.take(None if needed is None else client, always=path in _ALWAYS)
        if headers.length > limit:
            raise BodyTooLargeError(limit)

    async def _refuse(self, error: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
        self._metrics.refusals.labels(error.kind).inc()
        await refusal(scope, error)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except ApiError as error:
            # Only a body that was given up gets here, and it is read before anything is answered.
            await refusal(scope, error)(scope, receive, send)
        finally:
            if isinstance(receive, Body) and receive.error is not None:
                self._metrics.refusals.labels(receive.error.kind).inc()

    async def _answer_in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 503 where nothing was answered in time.

        What works in a thread cannot be stopped: it goes on and counts as in flight until it ends.
        """
        gate = _Gate(send)
        task = asyncio.create_task(self._answer(scope, receive, gate.send))
        task.add_done_callback(self._ended)
        try:
            await asyncio.wait({task}, timeout=self._handler_seconds)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.done() or gate.started:
            await task
            return
        gate.shut = True
        await self._refuse(TooSlowError(self._handler_seconds), scope, receive, send)

    def _begin(self) -> None:
        self._admission.busy += 1
        self._metrics.in_flight.inc()

    def _end(self) -> None:
        self._admission.busy -= 1
        self._metrics.in_flight.dec()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._end()
        # Whoever waits for it gets its error; where nobody does any more, asyncio would complain of it.
        if not task.cancelled():
            task.exception()


@dataclass(slots=True)
class _Gate:
    """The way out, until it is shut."""

    out: Send
    started: bool = False
    shut: bool = False

    async def send(self, message: Message) -> None:
        """Let a message out."""
        if not self.shut:
            self.started = True
            await self.out(message)


def _read_headers(scope: Scope) -> _Headers:
    headers = _Headers()
    for name, value in scope["headers"]:
        if name == b"content-length":
            headers.length = int(value) if value.isdigit() else 0
            headers.has_body = headers.length > 0
        elif name == b"transfer-encoding":
            headers.has_body = True
    return headers


def _closing(send: Send) -> Send:
    async def send_last(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], _CLOSE]}
        await send(message)

    return send_last


def cors(origins: tuple[str, ...]) -> dict[str, Any]:
    """What pages of these sites may do: ask and read the answer, with a key that they have, without cookies."""
    return {
        "allow_origins": origins,
        "allow_methods": ("GET", "POST"),
        "allow_headers": ("Authorization", "Content-Type", "X-API-Key", "X-Request-ID"),
        "expose_headers": ("X-Request-ID", "Retry-After"),
        "allow_credentials": False,
    }
