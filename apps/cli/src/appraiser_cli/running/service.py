"""What a service is: a process with a name, an address and a sign that it is ready."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from appraiser_cli.running.ports import LOOPBACK


@dataclass(frozen=True, slots=True)
class Service:
    """A process to start.

    Attributes:
        name: Names its record and its log.
        command: Program and arguments.
        environment: Variables beside those of the command itself.
        port: Where it listens on the loopback address; None where it does not.
        health: Path, or whole address, that answers 200 once it is ready; empty where running is enough.
        part: Part of the answer, a JSON object, whose status must be 'healthy'; empty where 200 is enough.
        once: Whether it does its work and ends, and is ready when it ended well.
        patience: How long it may take to get ready.
        scheme: Of its address.
        probe: Whether it is ready, asked in the place of `health`; for those that do not speak HTTP.
        user: Who runs it, where the command is root's; None runs it as the command.
        store: Whether others keep their data in it: it ends after them, and without waiting for its clients.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    health: str = ""
    part: str = ""
    once: bool = False
    patience: timedelta = timedelta(seconds=180)
    scheme: str = "http"
    probe: Callable[[], bool] | None = None
    user: str | None = None
    store: bool = False

    @property
    def url(self) -> str:
        """Its address; empty where it has none."""
        return f"{self.scheme}://{LOOPBACK}:{self.port}" if self.port else ""
