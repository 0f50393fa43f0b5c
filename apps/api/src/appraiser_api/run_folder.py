"""The folder in which the workers of one server meet; what servers of before left is cleared away."""

import os
import shutil
from pathlib import Path

from appraiser_api.workers import METRICS, lives


def make(root: Path) -> Path:
    """Make a folder for the server that this process is, and delete those of servers that are gone.

    Args:
        root: Where the folders of all servers lie, each named for a process id.
    """
    root.mkdir(parents=True, exist_ok=True)
    for folder in root.iterdir():
        if folder.name.isdecimal() and not lives(int(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)
    folder = (root / str(os.getpid())).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    (folder / METRICS).mkdir(parents=True)
    return folder
