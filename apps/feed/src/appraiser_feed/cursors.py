"""Where each reader stands."""

from collections import defaultdict
from enum import StrEnum


class Day(StrEnum):
    """The two days of the week for which the original keeps a cursor."""

    TUESDAY = "Tuesday"
    WEDNESDAY = "Wednesday"


class Cursors:
    """One cursor per group and day; no day is a day of its own.

    Cursors live as long as the process. They belong to the event loop: no call waits, so none needs a lock.
    """

    def __init__(self, batches: int) -> None:
        self._batches = batches
        self._next: defaultdict[tuple[int, Day | None], int] = defaultdict(int)

    def take(self, group_number: int, day: Day | None) -> int | None:
        """Give the number of the next batch and move on, whether or not the batch arrives; None when all were sent."""
        number = self._next[group_number, day]
        if number >= self._batches:
            return None
        self._next[group_number, day] = number + 1
        return number

    def back(self, group_number: int, day: Day | None) -> None:
        """Let the batch that was given last be the next one again."""
        self._next[group_number, day] -= 1

    def restart(self, group_number: int, day: Day | None) -> None:
        """Go back to the first batch."""
        self._next[group_number, day] = 0
