"""The service's own ids of requests."""

import os
import time


def new_request_id() -> str:
    """A new id: 32 hexadecimal digits, of which 12 are the time in milliseconds and 20 are random.

    In the order of time (as UUID version 7, RFC 9562, is), so that an index over ids grows at its end; 80 random bits,
    so that nobody guesses the id of somebody else. What the client sent is never part of it: two requests that came
    with the same `X-Request-ID` are two records.
    """
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"
