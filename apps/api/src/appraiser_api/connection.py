"""A connection that may not be held open by whoever sends or reads slowly, sends without end, or opens thousands."""

import asyncio
import json
import time
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from appraiser_api.limits import LEAST_RATE_BYTES
from appraiser_api.problems import MEDIA_TYPE, TYPE_PREFIX
from appraiser_api.short_way import METHOD, PATH, Held, ShortWay

HEAD_LIMIT_BYTES: Final = 65_536
"""Longest head of a request; nginx takes 32 KiB, and keys, cookies and traces need some."""

REST_SECONDS: Final = 5.0
"""How long the rest of a body may arrive that was refused: a client that is still sending reads no answer yet."""

_SHORT: Final = PATH.encode()
_METHOD: Final = METHOD.encode()


class BoundedConnection(HttpToolsProtocol):
    """Uvicorn's connection, with an eye on how long and how large a head becomes, and on whether answers are read.

    Attributes:
        head_since: When the head that is arriving was begun, or the connection was made; None while none is awaited.
        rest_since: When the body began that is arriving; None once it is complete.
        last: Whether nothing is taken any more, for the request that is being answered is the last one.
        read_until: By when more of what was answered must have been read; None while all of it has.
    """

    head_since: float | None = None
    rest_since: float | None = None
    last = False
    read_until: float | None = None
    _head_bytes = 0
    _unread_bytes = 0
    _short_way: ShortWay | None = None
    _client = ""
    _body = b""
    _held = False
    _waiting = False
    _next = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, if there may be one more."""
        super().connection_made(transport)
        self.head_since = time.monotonic()
        self._short_way = getattr(self.config, "short_way", None)
        self._client = self.client[0] if self.client else ""
        most = getattr(self.config, "most_connections", None)
        if most is not None and len(self.connections) > most:
            self.refuse(503, "busy", "too many connections are open. Ask again in a moment.")

    def data_received(self, data: bytes) -> None:
        """Read on; a head that has no end is refused."""
        if self.last or self.transport.is_closing():
            return
        self._next = True
        super().data_received(data)
        if self.head_since is None or self.parser is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_LIMIT_BYTES:
            self.refuse(431, "head-too-large", f"the head of the request is larger than {HEAD_LIMIT_BYTES:,} bytes.")

    def on_message_begin(self) -> None:
        """A head begins."""
        self._settle()
        super().on_message_begin()
        self.head_since = time.monotonic()
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """The head is whole, and the body begins."""
        self.head_since = None
        if self.url == _SHORT and self._may_be_short():
            self._held, self._next, self._body = True, False, b""
        else:
            self._begin()

    def on_body(self, body: bytes) -> None:
        """A part of the body is there."""
        if not self._held:
            super().on_body(body)
            return
        self._body += body
        if len(self._body) > HEAD_LIMIT_BYTES:
            # No house is as long as this.
            self._go_careful()

    def on_message_complete(self) -> None:
        """The body is whole."""
        if self._held:
            self._held, self._waiting = False, True
            assert self._short_way is not None  # noqa: S101 - nothing is held without it
            always = self.server_state.default_headers
            held = Held(self.headers, self._body, self._client, always, self._reply)
            self._short_way.ask(held, self.loop.call_soon, alone=len(self.connections) == 1)
            return
        self.rest_since = None
        super().on_message_complete()

    def shutdown(self) -> None:
        """End after what is being answered, or is arriving."""
        self._settle()
        if self._held:
            self._go_careful()
        super().shutdown()

    def _begin(self) -> None:
        self.rest_since = time.monotonic()
        super().on_headers_complete()

    def _may_be_short(self) -> bool:
        """Whether nothing is unusual about the connection, the head, or what is still to be answered on it.

        Of what arrives at once only the first request is: whoever sends a thousand of them waits for the others.
        """
        parser = self.parser
        cycle: RequestResponseCycle | None = self.cycle
        return (
            self._short_way is not None
            and self._next
            and parser.get_method() == _METHOD
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            and (cycle is None or cycle.response_complete)
        )

    def _reply(self, answer: bytes | None) -> None:
        """Send the answer to what was held; where there is none, the application gives it."""
        self._waiting = False
        if self.transport.is_closing():
            return
        if answer is None:
            self._go_careful()
            self.on_message_complete()
        else:
            self.transport.write(answer)
            self.on_response_complete()

    def _go_careful(self) -> None:
        """Hand over to the application what was held."""
        self._held = False
        self._begin()
        if self._body:
            super().on_body(self._body)

    def _settle(self) -> None:
        """Answer first what waits: what comes next on this connection comes after it."""
        if self._waiting and self._short_way is not None:
            self._short_way.settle(self.loop.call_soon)

    def resume_writing(self) -> None:
        """Much of the answer was read."""
        self.read_until = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn calls it with its own words
        """Refuse what is no HTTP."""
        self.refuse(400, "no-http", "this is no request in HTTP/1.1.")

    def check(self, now: float, head_seconds: float, read_seconds: float) -> None:
        """Give up on what has not arrived, or was not read, in time.

        Args:
            now: Monotonic. [s]
            head_seconds: How long a head may take. [s]
            read_seconds: How long what was answered may lie unread, and a second more for every LEAST_RATE_BYTES that
                are read meanwhile. [s]
        """
        if self._is_unread(now, read_seconds):
            self.transport.abort()
            return
        if self._held:
            # The rest of the body takes its time, which is measured there.
            self._go_careful()
        if self.head_since is not None and now - self.head_since > head_seconds:
            self.refuse(408, "slow-head", f"the head of the request had not arrived after {head_seconds:g} s.")
        elif self.rest_since is not None and now - self.rest_since > REST_SECONDS and self.cycle.response_complete:
            self.transport.close()

    def _is_unread(self, now: float, seconds: float) -> bool:
        unread = self.transport.get_write_buffer_size()
        read, self._unread_bytes = max(self._unread_bytes - unread, 0), unread
        if not unread:
            self.read_until = None
        elif self.read_until is None:
            self.read_until = now + seconds
        else:
            self.read_until += read / LEAST_RATE_BYTES
        return self.read_until is not None and now > self.read_until

    def refuse(self, status: int, kind: str, detail: str) -> None:
        """Answer without the application, for there is no request, and hang up.

        Where another request on this connection is still being answered, the connection just ends after it, and what
        arrives until then is not looked at.
        """
        self._settle()
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.keep_alive = False
            self.last = True
            self.flow.pause_reading()
            return
        self.transport.write(_answer(status, kind, detail))
        self.transport.close()


_PHRASES: Final = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


def _answer(status: int, kind: str, detail: str) -> bytes:
    problem: dict[str, Any] = {
        "type": TYPE_PREFIX + kind,
        "title": _PHRASES[status],
        "status": status,
        "detail": detail[:1].upper() + detail[1:],
        "instance": "",
        "request_id": "",
        "errors": [],
    }
    body = json.dumps(problem).encode()
    retry = "retry-after: 1\r\n" if status == 503 else ""
    head = (
        f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
        f"{retry}x-content-type-options: nosniff\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
