"""Turns the signals that ask a program to end into one exception, so that everything is ended in order."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody asked the program to end."""


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back signals that ask the program to end until what is inside is done; the first is raised then.

    The signals are not blocked but noted, since a child would inherit a block.
    """
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        for number in _SIGNALS:
            signal.signal(number, lambda number, _frame: came.append(number))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise `Interrupted` at Ctrl-C, SIGTERM and SIGHUP while inside."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise Interrupted

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
