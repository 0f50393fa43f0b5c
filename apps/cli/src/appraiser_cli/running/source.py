"""Which data the feed serves, held against what the state folder was filled from."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from appraiser_cli.errors import DataFileError, SourceError
from appraiser_cli.home import Home
from appraiser_store import Ledger

SIMULATOR: Final = "simulator"
_SUFFIXES: Final = (".csv", ".tsv", ".txt", ".parquet", ".json", ".jsonl", ".ndjson")


def check_file(path: Path) -> Path:
    """The absolute path of a data file that the feed can open.

    Raises:
        DataFileError: There is none, or of another kind.
    """
    absolute = path.expanduser().absolute()
    if not absolute.is_file():
        raise DataFileError(path, f"does not exist (looked for {absolute}); check its path")
    if absolute.suffix.lower() not in _SUFFIXES:
        raise DataFileError(path, f"has none of the endings {', '.join(_SUFFIXES)}; give a file of one of these kinds")
    try:
        with absolute.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise DataFileError(path, f"cannot be read: {error.strerror}") from error
    if empty:
        raise DataFileError(path, "is empty; give one with listings")
    return absolute


def choose(home: Home, data: Path | None, ledger_url: str) -> Path | None:
    """The data file to serve: the one given, else the one that the state was filled from; None is the simulator.

    Raises:
        DataFileError: The file given, or remembered, cannot be opened.
        SourceError: The ledger holds batches of another source.
    """
    found = chosen(home, data)
    hold_against(home, found, ledger_url)
    return found


def chosen(home: Home, data: Path | None) -> Path | None:
    """The same, not held against the ledger yet.

    Raises:
        DataFileError: The file given, or remembered, cannot be opened.
    """
    return check_file(data) if data else _remembered(home)


def hold_against(home: Home, data: Path | None, ledger_url: str) -> None:
    """Look whether the ledger holds batches of this source only.

    Raises:
        SourceError: They come from another one.
    """
    known = _known(home, ledger_url)
    wanted = data.name if data else SIMULATOR
    if known is not None and known != wanted:
        raise SourceError(home.folder, known, wanted)


def remember(home: Home, data: Path | None) -> None:
    """Note which file this state is filled from, so that a later start needs no `--data`."""
    home.source.parent.mkdir(parents=True, exist_ok=True)
    home.source.write_text(json.dumps({"data": str(data) if data else None}) + "\n", encoding="utf-8")


def archive(home: Home) -> Path | None:
    """Move what the system has written in a state folder to its archive; delete nothing, and leave foreign files.

    Returns:
        Where it lies now; None where there was nothing to move.
    """
    entries = home.state
    if not entries:
        return None
    target = home.archive / datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    target.mkdir(parents=True)
    for entry in entries:
        entry.rename(target / entry.name)
    return target


def _remembered(home: Home) -> Path | None:
    try:
        data = json.loads(home.source.read_text(encoding="utf-8"))["data"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return check_file(Path(data)) if data else None


def _known(home: Home, ledger_url: str) -> str | None:
    if ledger_url == f"sqlite:///{home.ledger}" and not home.ledger.exists():
        return None
    ledger = Ledger(ledger_url)
    try:
        batch = ledger.last_batch()
    finally:
        ledger.close()
    return batch.source if batch else None
