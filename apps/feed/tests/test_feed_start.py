"""The command: what it starts with, and what it refuses to start with."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from appraiser_feed.errors import SettingsError
from appraiser_feed.settings import read_settings

COMMAND = [sys.executable, "-m", "appraiser_feed"]


def environment(**values: str) -> dict[str, str]:
    """This environment with settings of the application."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("APPRAISER_")}
    return clean | {f"APPRAISER_FEED_{name}": value for name, value in values.items()}


@pytest.fixture
def running(listing_file: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the command on a free port."""
    with subprocess.Popen(
        COMMAND, env=environment(PORT="0", DATA=str(listing_file)), stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


class TestStart:
    """Serving until told to stop."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_serves_and_stops(self, running: subprocess.Popen[str], number: signal.Signals) -> None:
        """It logs JSON, tells its address, answers, and ends well on a signal."""
        assert running.stdout
        events = [json.loads(running.stdout.readline()) for _ in range(8)]
        assert [event["event"] for event in events] == ["listings_read", *["batch"] * 6, "ready"]
        wait_for(events[-1]["url"])
        running.send_signal(number)
        assert running.wait(20) == 0
        assert json.loads(running.stdout.read().splitlines()[-1])["event"] == "stopped"

    def test_reload(self, listing_file: Path) -> None:
        """The development server answers as well."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        with subprocess.Popen(
            [*COMMAND, "--reload"],
            env=environment(PORT=str(port), DATA=str(listing_file)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                wait_for(f"http://127.0.0.1:{port}")
            finally:
                process.terminate()
                process.wait(20)


class TestRefused:
    """One sentence, no stack trace, exit code 2."""

    def test_missing_file(self) -> None:
        """A file that is not there is named with the setting that names it."""
        self.refuses(["absent.csv", "APPRAISER_FEED_DATA"], DATA="absent.csv")

    def test_taken_port(self, listing_file: Path) -> None:
        """A taken port is named with the setting that changes it."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            self.refuses([port, "in use", "APPRAISER_FEED_PORT"], DATA=str(listing_file), PORT=port)

    def refuses(self, words: list[str], **values: str) -> None:
        """Assert that the command refuses to start."""
        ended = subprocess.run(
            COMMAND,
            env=environment(**({"PORT": "0"} | values)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 2
        assert len(ended.stderr.splitlines()) == 1
        assert all(word in ended.stderr for word in words)


class TestSettings:
    """The environment."""

    def test_defaults(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without variables it simulates 20,000 listings on loopback."""
        for name in [name for name in os.environ if name.startswith("APPRAISER_FEED_")]:
            monkeypatch.delenv(name)
        settings = read_settings()
        assert (settings.host, settings.port, settings.data, settings.seed, settings.rows) == (
            "127.0.0.1",
            8001,
            None,
            1,
            20_000,
        )

    def test_values(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Lists are separated by commas, and an empty file name is none."""
        monkeypatch.setenv("APPRAISER_FEED_DROP", "1, 4,")
        monkeypatch.setenv("APPRAISER_FEED_DATA", "")
        settings = read_settings()
        assert (settings.drop, settings.data) == ({1, 4}, None)

    @pytest.mark.parametrize(("name", "value"), [("PORT", "70000"), ("ROWS", "9"), ("DROP", "x"), ("DELAY", "-1")])
    def test_refused(self, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
        """A value that cannot be used is told with its variable."""
        monkeypatch.setenv(f"APPRAISER_FEED_{name}", value)
        with pytest.raises(SettingsError, match=f"APPRAISER_FEED_{name} is '?{value}"):
            read_settings()


def wait_for(url: str) -> None:
    """Wait until the health check answers."""
    for _ in range(200):
        try:
            assert httpx.get(f"{url}/health", trust_env=False).json() == {"status": "OK"}
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"{url} does not answer")
