"""Asks one address again and again over connections that stay open, from a process of its own; prints figures as JSON.

`python bench/load.py PORT PATH BODY_FILE CONNECTIONS SECONDS`
"""

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import cast

import uvloop

WARM_UP_SECONDS = 0.5


class Connection(asyncio.Protocol):
    """One client that asks the next time once it was answered.

    Attributes:
        seconds: What each answer took, after the warm-up.
        failed: Answers other than 200, and connections that the server dropped.
    """

    def __init__(self, request: bytes, warm_until: float, end: float, done: "asyncio.Future[None]") -> None:
        self.seconds: list[float] = []
        self.failed = 0
        self._request, self._warm_until, self._end, self._done = request, warm_until, end, done
        self._received = b""
        self._asked = 0.0
        self._over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer; ask again once it is whole."""
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0 or len(self._received) < head + 4 + _length(self._received[:head]):
            return
        now = time.perf_counter()
        if now > self._warm_until:
            self.seconds.append(now - self._asked)
            self.failed += not self._received.startswith(b"HTTP/1.1 200")
        if now > self._end:
            self._over = True
            self._transport.close()
            return
        self._received = b""
        self._ask()

    def connection_lost(self, _: Exception | None) -> None:
        """The time is over, or the server hung up."""
        self.failed += not self._over
        if not self._done.done():
            self._done.set_result(None)

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(self._request)


def _length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.find(b"content-length:")
    return int(lowered[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0


async def measure(port: int, path: str, body: bytes, connections: int, seconds: float) -> dict[str, float]:
    """Requests per second and how long they took [ms]."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    request = f"{head}\r\n\r\n".encode() + body
    loop = asyncio.get_running_loop()
    warm_until = time.perf_counter() + WARM_UP_SECONDS
    clients = []
    for _ in range(connections):
        done = loop.create_future()
        client = Connection(request, warm_until, warm_until + seconds, done)
        clients.append((client, done))
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*[done for _, done in clients])
    took = [one for client, _ in clients for one in client.seconds]
    cuts = statistics.quantiles(took, n=100)
    failed = sum(client.failed for client, _ in clients)
    return {"rps": len(took) / seconds, "p50_ms": cuts[49] * 1000, "p99_ms": cuts[98] * 1000, "failed": failed}


def main() -> None:
    """Measure once."""
    port, path, body, connections, seconds = sys.argv[1:]
    content = Path(body).read_bytes()
    print(json.dumps(uvloop.run(measure(int(port), path, content, int(connections), float(seconds)))))


if __name__ == "__main__":
    main()
