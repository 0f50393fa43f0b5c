"""Ends the system of a state folder, also where the command that started it was killed."""

from datetime import timedelta
from typing import Final

from psutil import TimeoutExpired

from appraiser_cli.home import Home
from appraiser_cli.running import records
from appraiser_cli.running.ending import STORE_GRACE, end
from appraiser_cli.running.records import UP

_UP_GRACE: Final = timedelta(seconds=25) + STORE_GRACE
"""How long `up` may take to end its services; it waits for them itself."""


def end_system(home: Home) -> list[str]:
    """End `up`, which ends its own services in order, then what is left of it and of commands that were killed.

    What another command has started and still owns, such as `dev` or `pipeline run`, is left to that command.

    Returns:
        Names of what was running.
    """
    found = records.load(home.run)
    up = found.get(UP)
    rest = [
        entry
        for entry in found.values()
        if entry.name != UP and (not entry.has_owner() or (up is not None and entry.is_owned_by(up)))
    ]
    alive = [entry.name for entry in rest if entry.process() is not None]
    if up is not None:
        # `up` may be a child of somebody's shell: its session is not its own, so only the process itself is ended.
        process = up.process()
        if process is not None:
            process.terminate()
            try:
                process.wait(timeout=_UP_GRACE.total_seconds())
            except TimeoutExpired:
                process.kill()
            alive.append("up")
    ended = end(rest)
    for entry in (*rest, *([up] if up else [])):
        records.forget(home.run, entry)
    return sorted({*alive, *(entry.name for entry in ended)})
