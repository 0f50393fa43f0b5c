"""Where the services of one state folder listen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from appraiser_cli.errors import UsageError
from appraiser_cli.home import Home
from appraiser_cli.running import records
from appraiser_cli.running.ports import LOOPBACK, free_port
from appraiser_cli.settings import Settings

LISTENERS: Final = ("feed", "mlflow", "airflow", "api", "ui")
"""The services that listen on a port. Airflow's is its API server's."""

STORES: Final = ("postgresql", "seaweedfs", "pipeline-metrics", "prometheus")
"""Those that the profile with services has besides."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """A port for each service that listens.

    Attributes:
        moved: Wanted and given port of the services whose port was taken.
    """

    ports: Mapping[str, int]
    moved: Mapping[str, tuple[int, int]]

    @classmethod
    def choose(
        cls,
        wanted: Callable[[str], int],
        taken: Mapping[str, int] | None = None,
        names: Sequence[str] = LISTENERS,
    ) -> Self:
        """Give each service the port it wants or, where that is taken, a free one.

        Args:
            wanted: Port by name; 0 takes any.
            taken: Ports of services that run already and keep theirs.
            names: Of the services.
        """
        ports = dict(taken or {})
        moved = {}
        for name in names:
            if name in ports:
                continue
            ports[name] = free_port(wanted(name), set(ports.values()))
            if wanted(name) not in (0, ports[name]):
                moved[name] = (wanted(name), ports[name])
        return cls(ports, moved)

    def url(self, name: str) -> str:
        """Address of a service, such as http://127.0.0.1:8000."""
        return f"http://{LOOPBACK}:{self.ports[name]}"


def running(home: Home) -> dict[str, int]:
    """Ports of the services of a state folder whose processes are alive."""
    return {
        name: entry.port
        for name, entry in records.load(home.run).items()
        if name in (*LISTENERS, *STORES) and entry.port and entry.process() is not None
    }


def wanted_ports(settings: Settings, overrides: Mapping[str, int]) -> Callable[[str], int]:
    """The port that each service wants: the option's, else the setting's."""
    return lambda name: overrides.get(name, settings.port(name))


def parse_ports(texts: Sequence[str]) -> dict[str, int]:
    """Read options such as 'api=8010'.

    Raises:
        UsageError: A service is unknown, or a port is none.
    """
    ports = {}
    for text in texts:
        name, _, number = text.partition("=")
        if name not in (*LISTENERS, *STORES) or not number.isdecimal() or int(number) > 65_535:
            raise UsageError(
                f"--port {text!r} is not SERVICE=PORT; services are {', '.join((*LISTENERS, *STORES))}, ports 0 to "
                "65535."
            )
        ports[name] = int(number)
    return ports
