"""Errors of backups.

CliError
├── ArchiveError         a file is no backup, was damaged, or does not fit what is installed
├── BackupError          a backup could not be written
└── OccupiedError        a state folder holds a state already, and nothing is overwritten
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appraiser_cli.errors import CliError

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class ArchiveError(CliError):
    """A file is no backup, was damaged, or does not fit what is installed.

    Attributes:
        file: Which.
    """

    def __init__(self, file: Path, problem: str, cure: str) -> None:
        self.file = file
        super().__init__(f"the backup {str(file)!r} {problem}. Nothing was restored. {cure}")


class BackupError(CliError):
    """A backup could not be written.

    Attributes:
        file: Which.
    """

    def __init__(self, file: Path, problem: str) -> None:
        self.file = file
        super().__init__(f"the backup {str(file)!r} could not be written: {problem}. Nothing of it stays.")


class OccupiedError(CliError):
    """A state folder holds a state already, and nothing is overwritten.

    Attributes:
        home: Which folder.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        super().__init__(
            f"{str(home)!r} holds a state already, and nothing is overwritten. Choose another folder with --home NEW, "
            f"or add --fresh (moves the old state to {home.name}/archive/, deletes nothing)."
        )


@contextmanager
def room(folder: Path, doing: str) -> Iterator[None]:
    """Tell of a full disk what was being done, and where room has to be made.

    Raises:
        CliError: The disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise CliError(
            f"there is no room left in {str(folder)!r} to {doing}: {os.strerror(error.errno).lower()}. Nothing "
            "half-written stays. Make room, or choose a folder on another disk."
        ) from error
