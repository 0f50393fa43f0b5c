"""The service's own ids of requests."""

import os
import re
import time
from typing import Final

_OWN: Final = re.compile("[0-9a-f]{32}")


def new_request_id() -> str:
    """A new id: 32 hexadecimal digits, of which 12 are the time in milliseconds and 20 are random.

    In the order of time (as UUID version 7, RFC 9562, is), so that an index over ids grows at its end; 80 random bits,
    so that nobody guesses the id of somebody else. What the client sent is never part of it: two requests that came
    with the same `X-Request-ID` are two records.
    """
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


def is_own(request_id: str) -> bool:
    """Whether an id may be one of the service's own: none that it ever made looks otherwise."""
    return _OWN.fullmatch(request_id) is not None
