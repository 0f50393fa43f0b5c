"""What is remembered of a process that was started, so that a later command finds it and no other."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

UP: Final = "up"
"""Name of the record of the command `up` itself, whose session is not its own."""

_CLOCK_TOLERANCE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process that was started.

    Attributes:
        name: Name of the service.
        pid: Its process id, which is also the id of its session.
        created: When it started. [seconds since 1970-01-01, as psutil reads it]
        port: Where it listens; None where it does not.
        url: Its address for people and programs; empty where it has none.
        command: What was run.
    """

    name: str
    pid: int
    created: float
    port: int | None
    url: str
    command: tuple[str, ...]

    def process(self) -> psutil.Process | None:
        """The living process of this record; None where it ended, even when another has its id now."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < _CLOCK_TOLERANCE_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


def record(name: str, pid: int, *, port: int | None = None, url: str = "", command: tuple[str, ...]) -> ProcessRecord:
    """Describe a process that runs now."""
    return ProcessRecord(name, pid, psutil.Process(pid).create_time(), port, url, command)


def save(folder: Path, entry: ProcessRecord) -> None:
    """Write a record; a reader sees the whole of it or nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{entry.name}.{os.getpid()}.tmp"
    draft.write_text(json.dumps(asdict(entry), indent=2) + "\n", encoding="utf-8")
    draft.replace(folder / f"{entry.name}.json")


def load(folder: Path) -> dict[str, ProcessRecord]:
    """The records of a state folder, by name. A file that is no record is passed over."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            entry = ProcessRecord(**{**fields, "command": tuple(fields["command"])})
        except (OSError, ValueError, TypeError, KeyError):
            continue
        found[entry.name] = entry
    return found


def forget(folder: Path, entry: ProcessRecord) -> None:
    """Remove a record, unless a newer process of that name has replaced it."""
    if load(folder).get(entry.name) == entry:
        (folder / f"{entry.name}.json").unlink(missing_ok=True)
