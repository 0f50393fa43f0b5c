"""A connection that may not be held open by whoever sends or reads slowly, sends without end, or opens thousands."""

import asyncio
import json
import time
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from appraiser_api.limits import LEAST_RATE_BYTES
from appraiser_api.problems import MEDIA_TYPE, TYPE_PREFIX

HEAD_LIMIT_BYTES: Final = 65_536
"""Longest head of a request; nginx takes 32 KiB, and keys, cookies and traces need some."""

REST_SECONDS: Final = 5.0
"""How long the rest of a body may arrive that was refused: a client that is still sending reads no answer yet."""


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

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, if there may be one more."""
        super().connection_made(transport)
        self.head_since = time.monotonic()
        most = getattr(self.config, "most_connections", None)
        if most is not None and len(self.connections) > most:
            self.refuse(503, "busy", "too many connections are open. Ask again in a moment.")

    def data_received(self, data: bytes) -> None:
        """Read on; a head that has no end is refused."""
        if self.last or self.transport.is_closing():
            return
        super().data_received(data)
        if self.head_since is None or self.parser is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_LIMIT_BYTES:
            self.refuse(431, "head-too-large", f"the head of the request is larger than {HEAD_LIMIT_BYTES:,} bytes.")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self.head_since = time.monotonic()
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """The head is whole, and the body begins."""
        self.head_since = None
        self.rest_since = time.monotonic()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole."""
        self.rest_since = None
        super().on_message_complete()

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
