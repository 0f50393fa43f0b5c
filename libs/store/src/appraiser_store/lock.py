"""One process at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

STEPS: Final = "pipeline.lock"
"""File below a lake's root that each step of the pipeline holds, so that steps over one lake take turns."""


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait until no other process or thread is inside with the same file, and keep others out until the end.

    The lock belongs to the open file, so the system gives it back when the process dies, however it dies.

    Args:
        path: The file to lock, made where it is absent; its folder must exist. It stays, empty.
    """
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
