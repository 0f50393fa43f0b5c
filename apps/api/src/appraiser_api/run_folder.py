"""The folder in which the workers of one server meet; what servers of before left is cleared away."""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

METRICS: Final = "metrics"
"""Folder in it of the files from which counts are summed up over all workers."""

PLACE: Final = "APPRAISER_API_PLACE"
"""Variable with the number of the place that a worker takes, from 0: whoever follows a dead one goes on counting."""

LOCK: Final = "lock"
"""File that a server holds as long as it runs. Process ids tell nothing: containers on one volume each count from 1."""

_OURS: Final = re.compile(r"\d+(-\w+)?")


@contextmanager
def held(root: Path) -> Iterator[Path]:
    """Make a folder for the server that this process is, delete those of servers that are gone, and this at the end.

    Args:
        root: Where the folders of all servers lie, each named for a process id and some letters.
    """
    root.mkdir(parents=True, exist_ok=True)
    # Nobody takes a folder for abandoned whose lock is about to be made.
    making = _lock(root / LOCK, wait=True)
    try:
        for old in root.iterdir():
            if _OURS.fullmatch(old.name) and old.is_dir():
                _delete_abandoned(old)
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root)).resolve()
        lock = _lock(folder / LOCK, wait=True)
    finally:
        os.close(making)
    try:
        (folder / METRICS).mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _delete_abandoned(folder: Path) -> None:
    with suppress(BlockingIOError):
        lock = _lock(folder / LOCK, wait=False)
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _lock(file: Path, *, wait: bool) -> int:
    """Hold a file until the number that is returned is closed, or the process ends, however that goes.

    Raises:
        BlockingIOError: Another process holds it, and it is not to be waited for.
    """
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(handle)
        raise
    return handle
