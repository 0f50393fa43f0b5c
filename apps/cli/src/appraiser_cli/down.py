"""Ends the system of a state folder, whoever started it."""

from datetime import timedelta
from typing import Final

from psutil import TimeoutExpired

from appraiser_cli.home import Home
from appraiser_cli.running import records
from appraiser_cli.running.ending import end
from appraiser_cli.running.records import UP

_UP_GRACE: Final = timedelta(seconds=25)
"""How long `up` may take to end its services; it waits for them itself."""


def end_system(home: Home) -> list[str]:
    """End what the records name: first `up`, which ends its own services in order, then what is left.

    Returns:
        Names of what was running.
    """
    found = records.load(home.run)
    alive = [entry.name for entry in found.values() if entry.name != UP and entry.process() is not None]
    if UP in found:
        # `up` may be a child of somebody's shell: its session is not its own, so only the process itself is ended.
        process = found[UP].process()
        if process is not None:
            process.terminate()
            try:
                process.wait(timeout=_UP_GRACE.total_seconds())
            except TimeoutExpired:
                process.kill()
            alive.append("up")
    rest = [entry for entry in found.values() if entry.name != UP]
    ended = end(rest)
    for entry in found.values():
        records.forget(home.run, entry)
    return sorted({*alive, *(entry.name for entry in ended)})
