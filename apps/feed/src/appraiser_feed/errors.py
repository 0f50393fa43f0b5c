"""Errors of this application. Each ends the program at start with one sentence and exit code 2.

FeedError
├── SettingsError      an environment variable has a value that cannot be used
├── AddressError       the address to listen on is taken or not this machine's
└── DataError          the file of listings cannot be served
    ├── FileMissingError       there is no such file
    ├── FileUnreadableError    it is no table in UTF-8, or is damaged
    ├── ColumnsMissingError    columns of a listing are absent
    └── NoListingsError        it is empty, or no row belongs to any batch
"""

from collections.abc import Sequence
from pathlib import Path

from appraiser_schema import RAW_COLUMNS

SETTING = "APPRAISER_FEED_DATA"


class FeedError(Exception):
    """Base of every error that this application raises."""


class SettingsError(FeedError):
    """An environment variable has a value that cannot be used."""

    def __init__(self, variable: str, problem: str, value: object) -> None:
        self.variable = variable
        super().__init__(f"{variable} is {value!r}: {problem}. Correct or unset {variable} and start again.")


class AddressError(FeedError):
    """The address to listen on cannot be had."""

    def __init__(self, host: str, port: int, problem: str) -> None:
        self.host = host
        self.port = port
        super().__init__(
            f"cannot listen on {host}:{port}: {problem}; stop what uses it, "
            "or set APPRAISER_FEED_HOST or APPRAISER_FEED_PORT to another address."
        )


class DataError(FeedError):
    """The file of listings cannot be served.

    Attributes:
        path: The file, as it was given.
    """

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        self.path = path
        super().__init__(f"the file {str(path)!r} {problem}; {remedy}.")


class FileMissingError(DataError):
    """There is no such file."""

    def __init__(self, path: Path) -> None:
        problem = "is not a file" if path.exists() else "does not exist"
        super().__init__(
            path, problem, f"set {SETTING} to a CSV, Parquet or JSON file of listings, or unset it for simulated ones"
        )


class FileUnreadableError(DataError):
    """The file is no table in UTF-8, or is damaged."""

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        super().__init__(path, problem, f"{remedy}, or set {SETTING} to another file")


class ColumnsMissingError(DataError):
    """The file lacks columns of a listing.

    Attributes:
        missing: Names of the absent columns.
    """

    def __init__(self, path: Path, missing: Sequence[str], found: Sequence[str]) -> None:
        self.missing = tuple(missing)
        super().__init__(
            path,
            f"lacks the column(s) {_names(missing)}, it has {_names(found)}",
            f"give it a header with the columns {_names(RAW_COLUMNS)}",
        )


class NoListingsError(DataError):
    """The file is empty, or no row belongs to any batch."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            path,
            problem,
            "give it listings with a value in each of the 12 columns and the status 'for_sale' or 'sold'",
        )


def _names(columns: Sequence[str]) -> str:
    return ", ".join(columns[:20]) or "none"
