"""Whether this process was told to stop: it finishes what it took, and says so to whoever keeps a connection open."""

from dataclasses import dataclass


@dataclass(slots=True)
class Draining:
    """Switched on once, by the server of this process."""

    on: bool = False


DRAINING = Draining()
"""There is one server in a process, and it cannot reach the application that it serves in another way."""
