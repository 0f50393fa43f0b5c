"""What every process of the service says of itself, and how one of them asks all of them to look for the champion."""

import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from appraiser_schema import ModelRef, Record, WorkerReady

GENERATION: Final = "generation"
"""Name in the folder that the workers of one service share."""


class WorkerState(Record):
    """One worker, as it told last."""

    pid: int
    model: ModelRef | None = None
    detail: str = ""
    generation: int = 0
    inputs: dict[str, tuple[int, ...]] = Field(default_factory=dict)

    def ready(self) -> WorkerReady:
        """What of it is told to the outside."""
        return WorkerReady(pid=self.pid, model=self.model, detail=self.detail)


class Workers:
    """The workers of one service, through small files in a folder of theirs; in memory where there is one alone.

    Args:
        folder: What they share; None where this process is the only one.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._own = WorkerState(pid=os.getpid())
        self._generation = 0

    @property
    def several(self) -> bool:
        """Whether there may be others."""
        return self._folder is not None

    def publish(
        self, model: ModelRef | None, detail: str, generation: int, inputs: Mapping[str, tuple[int, ...]]
    ) -> None:
        """Tell the others how this worker stands.

        Args:
            model: What it serves.
            detail: How things stand, in words.
            generation: The last request to look for the champion that it has followed.
            inputs: Its latest listings, counted by field and bin.
        """
        state = WorkerState(pid=os.getpid(), model=model, detail=detail, generation=generation, inputs=dict(inputs))
        if state == self._own and (self._folder is None or self._file(state.pid).exists()):
            return
        if self._folder is not None:
            _replace(self._file(state.pid), state.model_dump_json())
        # Only what was written counts as told: what fails now is tried again.
        self._own = state

    def states(self) -> tuple[WorkerState, ...]:
        """Every worker that lives, by process id; what dead ones left is deleted."""
        if self._folder is None:
            return (self._own,)
        return tuple(sorted(self._living(self._folder.glob("*.json")), key=lambda state: state.pid))

    def pids(self) -> tuple[int, ...]:
        """The process ids of the workers, this one among them."""
        return tuple(sorted({state.pid for state in self.states()} | {os.getpid()}))

    def ask_to_look(self) -> int:
        """Ask every worker to look for the champion now.

        Returns:
            The generation that a worker tells once it has looked.
        """
        generation = max(self.asked() + 1, time.time_ns())
        if self._folder is None:
            self._generation = generation
        else:
            _replace(self._folder / GENERATION, str(generation))
        return generation

    def asked(self) -> int:
        """The last request to look for the champion; 0 is none."""
        if self._folder is None:
            return self._generation
        with suppress(OSError, ValueError):
            return int((self._folder / GENERATION).read_text(encoding="ascii"))
        return 0

    def leave(self) -> None:
        """Take this worker out, for it ends."""
        if self._folder is not None:
            self._forget(os.getpid())

    def _living(self, files: Iterable[Path]) -> Iterable[WorkerState]:
        for file in files:
            if not lives(int(file.stem)):
                self._forget(int(file.stem))
                continue
            with suppress(OSError, ValidationError):
                yield WorkerState.model_validate_json(file.read_bytes())

    def _forget(self, pid: int) -> None:
        assert self._folder is not None  # noqa: S101 - callers have looked
        self._file(pid).unlink(missing_ok=True)

    def _file(self, pid: int) -> Path:
        assert self._folder is not None  # noqa: S101 - callers have looked
        return self._folder / f"{pid}.json"


def lives(pid: int) -> bool:
    """Whether there is a process of this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _replace(file: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as draft:
            draft.write(text)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
