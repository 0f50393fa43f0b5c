"""How much a request may ask for: bytes, seconds, and how often."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from functools import partial
from types import coroutine
from typing import Any, Final

from starlette.types import Message, Receive

from appraiser_api.errors import ApiError, BodyTooLargeError, RateError, SlowBodyError

LEAST_RATE_BYTES: Final = 16_384
"""Bytes per second below which a long body counts as stalled; a telephone on 2G sends as much."""

_MOST_CLIENTS: Final = 10_000
"""Clients whose rate is remembered; those that have not asked for longest are forgotten."""


@dataclass(slots=True)
class Body:
    """The body of one request as it arrives, within a size and a time.

    It may take `seconds`, and a second more for every LEAST_RATE_BYTES that have arrived.

    Attributes:
        receive: Where it comes from.
        limit_bytes: Longest that is taken.
        seconds: How long it may take. [s]
        error: Why it was given up, if it was.
    """

    receive: Receive
    limit_bytes: int
    seconds: float
    error: ApiError | None = None
    _began: float = field(default_factory=time.monotonic)
    _received: int = 0
    _complete: bool = False

    async def __call__(self) -> Message:
        """The next part of it.

        Raises:
            SlowBodyError: It has not arrived in time.
            BodyTooLargeError: It is longer than it may be.
        """
        if self._complete:
            return await self.receive()
        waiting = self.receive()
        assert isinstance(waiting, Coroutine)  # noqa: S101 - ASGI's receive is an async function
        try:
            first = waiting.send(None)
        except StopIteration as arrived:
            # It had arrived before it was asked for, as nearly every body has: a timer costs a tenth of an appraisal.
            message: Message = arrived.value
        else:
            message = await self._wait(waiting, first)
        self._count(message)
        return message

    async def _wait(self, waiting: "Coroutine[Any, Any, Message]", first: Any) -> Message:
        left = self._began + self.seconds + self._received / LEAST_RATE_BYTES - time.monotonic()
        try:
            async with asyncio.timeout(max(left, 0.0)):
                return await _resumed(waiting, first)
        except TimeoutError:
            self.error = SlowBodyError(self._received, time.monotonic() - self._began)
            raise self.error from None

    def _count(self, message: Message) -> None:
        self._complete = not message.get("more_body", False)
        self._received += len(message.get("body", b""))
        if self._received > self.limit_bytes:
            self.error = BodyTooLargeError(self.limit_bytes)
            raise self.error


@coroutine
def _resumed(waiting: "Coroutine[Any, Any, Message]", first: Any) -> Generator[Any, Any, Message]:
    """Go on with a coroutine that was begun, and waits for what it gave first."""
    while True:
        try:
            sent = yield first
        except BaseException as error:  # noqa: BLE001 - a cancellation is for the one that waits
            step = partial(waiting.throw, error)
        else:
            step = partial(waiting.send, sent)
        try:
            first = step()
        except StopIteration as arrived:
            message: Message = arrived.value
            return message


class Rate:
    """A bucket of tokens per client: it fills at the rate, and holds what two seconds bring.

    Args:
        per_second: How often a client may ask the service, in the long run.
        shares: Processes that clients are spread over; this is the bucket of one of them.
        clock: Monotonic. [s]
    """

    def __init__(self, per_second: float, shares: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._told = per_second
        self._per_second = per_second / shares
        self._most = max(1.0, 2 * self._per_second)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Let a client ask once.

        Raises:
            RateError: It has asked too often.
        """
        now = self._clock()
        tokens, then = self._buckets.pop(client, (self._most, now))
        tokens = min(self._most, tokens + (now - then) * self._per_second)
        self._buckets[client] = (tokens - 1 if tokens >= 1 else tokens, now)
        if len(self._buckets) > _MOST_CLIENTS:
            self._buckets.popitem(last=False)
        if tokens < 1:
            raise RateError(self._told, math.ceil((1 - tokens) / self._per_second))
