"""Which version was in production at any moment, out of the moves of the alias; nothing here asks a database."""

import datetime as dt
from collections.abc import Sequence

from appraiser_schema import Alias, AliasMove, MoveKind, Reign
from appraiser_store.errors import InstantError, NoChampionThenError


def reigns(moves: Sequence[AliasMove]) -> list[Reign]:
    """Every version's time as the champion, the first one first.

    A move to the version that is the champion already begins no new reign.

    Args:
        moves: In the order in which they were recorded, as `Ledger.moves` gives them; those of other aliases are
            left out.
    """
    found: list[Reign] = []
    for move in moves:
        if move.alias is not Alias.CHAMPION or (found and found[-1].version == move.to_version):
            continue
        if found:
            found[-1] = found[-1].model_copy(update={"until": move.at})
        found.append(
            Reign(version=move.to_version, since=move.at, until=None, kind=move.kind, who=move.who, why=move.why)
        )
    return found


def reign_at(moves: Sequence[AliasMove], at: dt.datetime, now: dt.datetime) -> Reign:
    """The one reign at an instant. At the instant of a move it is the new champion's.

    Args:
        moves: In the order in which they were recorded.
        at: The instant, aware.
        now: The present, aware.

    Raises:
        InstantError: The instant lies in the future.
        NoChampionThenError: No version was the champion yet.
    """
    if at > now:
        raise InstantError(at.isoformat(), f"lies in the future (it is {now.isoformat(timespec='seconds')})")
    line = reigns(moves)
    for reign in reversed(line):
        if reign.since <= at:
            return reign
    raise NoChampionThenError(at, line[0].since if line else None)


def parse_instant(text: str) -> dt.datetime:
    """Read an instant, such as '2026-11-24T10:00Z' or '2026-11-24T12:00+02:00'.

    A space in the place of the zone's '+' is read as that: in the query of a web address a '+' means a space.

    Raises:
        InstantError: It is no instant, or has no zone.
    """
    date, t, time = text.strip().partition("T")
    try:
        found = dt.datetime.fromisoformat(date + t + time.replace(" ", "+"))
    except ValueError:
        raise InstantError(text, "is no instant in ISO 8601") from None
    if found.tzinfo is None:
        raise InstantError(text, "has no time zone")
    try:
        return found.astimezone(dt.UTC)
    except OverflowError:
        raise InstantError(text, "lies beyond the calendar") from None


def previous_champion(moves: Sequence[AliasMove]) -> int | None:
    """The champion that the present one followed. A rollback takes back what it undid: a second goes further back."""
    line: list[int] = []
    for move in moves:
        if move.kind is MoveKind.ROLLBACK and move.to_version in line:
            while line[-1] != move.to_version:  # A version may have reigned twice: back to its latest reign.
                del line[-1]
        elif not line or line[-1] != move.to_version:
            line.append(move.to_version)
    return line[-2] if len(line) > 1 else None
