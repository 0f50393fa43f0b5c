"""Ends processes that were started, with all their children, and no others."""

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

import psutil

from appraiser_cli.running.records import ProcessRecord

GRACE: Final = timedelta(seconds=8)
"""How long a service may take to end by itself; uvicorn and Airflow take one to three seconds when idle."""

STORE_GRACE: Final = timedelta(seconds=60)
"""How long a store may take: PostgreSQL writes down what it has in memory, which takes long on a busy disk."""

_MOMENT: Final = timedelta(seconds=1)
_HARD: Final = timedelta(seconds=3)
_CLOCK_TOLERANCE_SECONDS = 0.05


def family(entry: ProcessRecord) -> list[psutil.Process]:
    """The living processes of a record: its process, that one's children, and whatever shares its session.

    Each service leads a session of its own. The session outlives its leader, so that children are found even after
    the service itself was killed; and its id is not given to another process while a member lives.
    """
    leader = entry.process()
    if leader is None and psutil.pid_exists(entry.pid) and not _is_zombie(entry.pid):
        return []
    found = {process.pid: process for process in _session(entry)}
    if leader is not None:
        with contextlib.suppress(psutil.Error):
            found |= {child.pid: child for child in leader.children(recursive=True)}
        found[leader.pid] = leader
    return list(found.values())


def end(entries: Iterable[ProcessRecord], grace: timedelta = GRACE) -> list[ProcessRecord]:
    """End the processes of the records: asked first, all at once, then by force; stores after those who use them.

    Returns:
        The records of which something was still alive.
    """
    known = list(entries)
    users = _end([entry for entry in known if not entry.store], grace)
    # Who wants everything ended by force wants that of the stores too.
    stores = _end([entry for entry in known if entry.store], STORE_GRACE if grace else grace)
    return users + stores


def _end(entries: Sequence[ProcessRecord], grace: timedelta) -> list[ProcessRecord]:
    families = [(entry, family(entry)) for entry in entries]
    alive = [(entry, members) for entry, members in families if members]
    asked = [process for entry, members in alive for process in _to_ask(entry, members)]
    # At SIGTERM a PostgreSQL server would wait until its last client has gone.
    _signal(asked, signal.SIGINT if any(entry.store for entry in entries) else signal.SIGTERM)
    _wait(asked, grace)
    # Children that a service did not take along, and those it started meanwhile.
    rest = {process for entry, members in alive for process in (*members, *_session(entry))}
    left = _wait(list(rest), _MOMENT)
    _signal(left, signal.SIGTERM)
    left = _wait(left, _MOMENT)
    _signal(left, signal.SIGKILL)
    _wait(left, _HARD)
    return [entry for entry, _ in alive]


def _to_ask(entry: ProcessRecord, members: list[psutil.Process]) -> list[psutil.Process]:
    """A service ends its children itself, in order; children that outlived it are asked directly."""
    return [member for member in members if member.pid == entry.pid] or members


def _session(entry: ProcessRecord) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            young = process.create_time() >= entry.created - _CLOCK_TOLERANCE_SECONDS
            if os.getsid(process.pid) == entry.pid and young and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


def _wait(processes: Sequence[psutil.Process], patience: timedelta) -> list[psutil.Process]:
    deadline = time.monotonic() + patience.total_seconds()
    rest = list(processes)
    while rest and time.monotonic() < deadline:
        rest = [process for process in rest if process.is_running() and not _is_zombie(process.pid)]
        if rest:
            time.sleep(0.05)
    return rest
