"""Faults played on purpose, so that a client can be tried against them."""

import asyncio
from collections.abc import Collection


class Faults:
    """Responses that break off, that come twice, and that come late.

    Args:
        drop: Numbers of the batches whose next response breaks off in mid-body, once each, whoever asks.
        repeat: Numbers of the batches that the next question after them brings again, once each.
        delay: Wait before each batch is sent. [s]
    """

    def __init__(self, drop: Collection[int] = (), repeat: Collection[int] = (), delay: float = 0.0) -> None:
        self._drop = set(drop)
        self._repeat = set(repeat)
        self._delay = delay

    async def wait(self) -> None:
        """Wait as long as each batch is to be late."""
        await asyncio.sleep(self._delay)

    def drops(self, number: int) -> bool:
        """Whether this response is to break off; the next one of the same batch is not."""
        dropped = number in self._drop
        self._drop.discard(number)
        return dropped

    def repeats(self, number: int) -> bool:
        """Whether the next question is to bring this batch again; the one after that moves on."""
        repeated = number in self._repeat
        self._repeat.discard(number)
        return repeated
