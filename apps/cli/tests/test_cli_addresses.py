"""Ports that are taken are replaced."""

import os
import socket
from pathlib import Path

import pytest

from appraiser_cli.errors import UsageError
from appraiser_cli.home import Home
from appraiser_cli.running import records
from appraiser_cli.running.ports import free_port, is_free
from appraiser_cli.services.addresses import LISTENERS, Addresses, parse_ports, wanted_ports
from appraiser_cli.services.environment import shared, tracking_file, tracking_uri
from appraiser_cli.settings import Settings


@pytest.fixture
def taken() -> "socket.socket":
    """A socket that listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


class TestFreePort:
    """Choosing one port."""

    def test_taken_port_is_replaced_by_the_next(self, taken: socket.socket) -> None:
        """A port in use is not free, and another is given."""
        port = taken.getsockname()[1]
        assert not is_free(port)
        assert free_port(port) != port

    def test_promised_port_is_not_given_twice(self) -> None:
        """A port that was promised to another service is passed over."""
        port = free_port(0)
        assert free_port(port, {port}) != port

    def test_zero_takes_any(self) -> None:
        """Zero gives some free port."""
        assert is_free(free_port(0))


class TestAddresses:
    """Choosing a port for every service."""

    def test_moved_port_is_named(self, taken: socket.socket) -> None:
        """The wanted and the given port are kept, so that they can be told."""
        port = taken.getsockname()[1]
        places = Addresses.choose(lambda name: port if name == "api" else 0)
        assert places.moved == {"api": (port, places.ports["api"])}
        assert set(places.ports) == set(LISTENERS)

    def test_running_service_keeps_its_port(self, taken: socket.socket) -> None:
        """A service that runs already is not given another port."""
        port = taken.getsockname()[1]
        assert Addresses.choose(lambda _: 0, {"feed": port}).ports["feed"] == port

    def test_option_goes_before_setting(self) -> None:
        """A port on the command line wins over the environment's."""
        wanted = wanted_ports(Settings(api_port=1234, ui_port=2345), {"api": 99})
        assert (wanted("api"), wanted("ui")) == (99, 2345)

    @pytest.mark.parametrize("text", ["api", "api=x", "nothing=1", "api=70000", "=1"])
    def test_bad_option_is_refused(self, text: str) -> None:
        """What is no SERVICE=PORT is refused with the services there are."""
        with pytest.raises(UsageError, match="feed, mlflow"):
            parse_ports([text])


class TestEnvironment:
    """What the services are told."""

    def test_services_are_told_absolute_places(self, tmp_path: Path) -> None:
        """Every path in the environment is absolute, and every address is on the loopback."""
        places = Addresses.choose(lambda _: 0)
        variables = shared(Home(tmp_path), Settings(), places, places.url("mlflow"))
        assert variables["APPRAISER_LAKE"] == str(tmp_path / "lake")
        assert variables["APPRAISER_LEDGER_URL"] == f"sqlite:///{tmp_path}/ledger.db"
        assert variables["MLFLOW_TRACKING_URI"] == f"http://127.0.0.1:{places.ports['mlflow']}"


class TestTracking:
    """Where the registry is, for every command."""

    def test_running_server_wins_over_the_variable(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        """The server of the state folder, then the variable, then the file."""
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert tracking_uri(home, Settings()) == tracking_file(home)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere:5000")
        assert tracking_uri(home, Settings()) == "http://elsewhere:5000"
        records.save(home.run, records.record("mlflow", os.getpid(), port=5005, command=()))
        assert tracking_uri(home, Settings()) == "http://127.0.0.1:5005"
