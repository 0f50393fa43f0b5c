"""One `up` per state folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from appraiser_cli.home import Home


@contextmanager
def hold(home: Home) -> Iterator[bool]:
    """Hold the state folder while the system runs; the lock falls with the process, however that ends.

    Yields:
        Whether it is held; False where another process holds it.
    """
    home.run.mkdir(parents=True, exist_ok=True)
    handle = os.open(home.run / "up.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)
