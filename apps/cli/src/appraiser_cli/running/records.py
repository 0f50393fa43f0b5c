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
        owner_pid: Process id of the command that started it and ends it.
        owner_created: When that command started. [seconds since 1970-01-01, as psutil reads it]
        store: Whether others keep their data in it, so that it has to end after them.
    """

    name: str
    pid: int
    created: float
    port: int | None
    url: str
    command: tuple[str, ...]
    owner_pid: int = 0
    owner_created: float = 0.0
    store: bool = False

    def process(self) -> psutil.Process | None:
        """The living process of this record; None where it ended, even when another has its id now."""
        return _living(self.pid, self.created)

    def has_owner(self) -> bool:
        """Whether the command that started it lives, and will end it."""
        return _living(self.owner_pid, self.owner_created) is not None

    def is_owned_by(self, other: "ProcessRecord") -> bool:
        """Whether another recorded process started it."""
        return (self.owner_pid, self.owner_created) == (other.pid, other.created)


def _living(pid: int, created: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) < _CLOCK_TOLERANCE_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def record(
    name: str, pid: int, *, port: int | None = None, url: str = "", command: tuple[str, ...], store: bool = False
) -> ProcessRecord:
    """Describe a process that runs now, and that this process has started."""
    owner = psutil.Process()
    created = psutil.Process(pid).create_time()
    return ProcessRecord(name, pid, created, port, url, command, owner.pid, owner.create_time(), store)


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
