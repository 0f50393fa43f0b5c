"""Errors of the command. Each becomes one sentence on the error output and exit code 1.

CliError
├── UsageError           what was asked for makes no sense; exit code 2
├── DataFileError        a data file cannot be read
├── SourceError          the state folder holds another source's batches
├── RunningError         another `up` holds the state folder
├── OwnedError           another command runs the service and needs it
├── ServiceError         a service ended or did not get ready in time
├── PipelineError        a run of the pipeline failed
├── RefusedError         a version did not pass its trial, so that it is not put in production
└── NotThereError        nothing is there yet to show
"""

from pathlib import Path


class CliError(Exception):
    """Base of every error that the command tells a person."""

    exit_code = 1


class UsageError(CliError):
    """What was asked for makes no sense."""

    exit_code = 2


class DataFileError(CliError):
    """A data file cannot be read.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"the data file {str(path)!r} {problem}.")


class SourceError(CliError):
    """The state folder holds another source's batches.

    Attributes:
        known: Name of the source that the ledger knows.
        wanted: Name of the source that was asked for.
    """

    def __init__(self, home: Path, known: str, wanted: str) -> None:
        self.known = known
        self.wanted = wanted
        super().__init__(
            f"the state in {str(home)!r} comes from the source {known!r}, and one state holds one source. "
            f"To go on with {known!r}, name it again; for {wanted!r}, add --fresh (moves the old state to "
            f"{home.name}/archive/, deletes nothing) or choose another folder with --home DIR."
        )


class RunningError(CliError):
    """Another `up` holds the state folder."""

    def __init__(self, home: Path, what: str) -> None:
        super().__init__(
            f"the system in {str(home)!r} is running, and {what} needs it stopped; "
            "end it with './appraiser down' first, or choose another folder with --home DIR."
        )


class OwnedError(CliError):
    """Another command runs the service and needs it.

    Attributes:
        service: Name of the service.
        owner: Process id of the other command.
    """

    def __init__(self, home: Path, service: str, owner: int) -> None:
        self.service = service
        self.owner = owner
        super().__init__(
            f"the service {service} of {str(home)!r} runs already, for another command (process {owner}); "
            "wait for that to end, end it, or choose another folder with --home DIR."
        )


class ServiceError(CliError):
    """A service ended or did not get ready in time.

    Attributes:
        service: Name of the service.
        log: Where its log lies.
        tail: The last lines of the log.
    """

    def __init__(self, service: str, problem: str, log: Path, tail: str) -> None:
        self.service = service
        self.log = log
        self.tail = tail
        lines = f"\n{tail}\n" if tail else "\n"
        super().__init__(f"the service {service} {problem}. Its last lines:{lines}The whole log: {log}")


class PipelineError(CliError):
    """A run of the pipeline failed.

    Attributes:
        step: Name of the step that failed, where one did.
    """

    def __init__(self, step: str | None, problem: str, tail: str = "", log: Path | None = None) -> None:
        self.step = step
        parts = [f"the step {step} failed: {problem}" if step else problem]
        if tail:
            parts.append(f"The last lines of its log:\n{tail}")
        if log:
            parts.append(f"The whole log: {log}")
        super().__init__("\n".join(parts))


class RefusedError(CliError):
    """A version did not pass its trial, so that it is not put in production.

    Attributes:
        version: Which.
        forced: The option that moves all the same; empty where none does.
    """

    def __init__(self, version: int, problem: str, forced: str = "") -> None:
        self.version = version
        self.forced = forced
        after = f"To put it in production all the same, add {forced}." if forced else "No option forces that."
        super().__init__(f"version {version} is refused: {problem.rstrip('.')}. Nothing moved. {after}")


class NotThereError(CliError):
    """Nothing is there yet to show."""
