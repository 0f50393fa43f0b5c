"""How far a stream was shipped: a segment and an offset in it, in a file beside the segments."""

from pathlib import Path
from typing import Final, NamedTuple

_FILE: Final = "position"


class Position(NamedTuple):
    """Everything before `offset` of segment `segment`, and all of the segments before it, is in the ledger."""

    segment: int
    offset: int


START: Final = Position(0, 0)


def read_position(folder: Path) -> Position:
    """How far a stream was shipped; where nobody can tell, from the start: the ledger takes every record once."""
    try:
        segment, offset = (folder / _FILE).read_text().split()
        return Position(int(segment), int(offset))
    except (OSError, ValueError):
        return START


def write_position(folder: Path, position: Position) -> None:
    """Remember how far a stream was shipped: the file has the old position or the new one, never half of it."""
    aside = folder / f"{_FILE}.new"
    aside.write_text(f"{position.segment} {position.offset}\n")
    aside.rename(folder / _FILE)


def remove_position(folder: Path) -> None:
    """Forget it, with a stream of which everything was shipped."""
    for name in (_FILE, f"{_FILE}.new"):
        (folder / name).unlink(missing_ok=True)
