"""State folders, small servers and a small ledger for the command's tests."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from appraiser_cli.home import Home
from appraiser_cli.main import app

SERVER = """
import http.server, signal, subprocess, sys
port, children = int(sys.argv[1]), int(sys.argv[2])
signal.signal(signal.SIGTERM, signal.SIG_IGN if 'stubborn' in sys.argv else lambda *_: sys.exit(0))
for _ in range(children):
    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'{"good": {"status": "healthy"}}')
    def log_message(self, *_): pass
print('listening', flush=True)
http.server.HTTPServer(('127.0.0.1', port), Handler).serve_forever()
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty state folder."""
    return Home(tmp_path / "state")


@pytest.fixture
def server_command() -> Callable[..., tuple[str, ...]]:
    """The command of a small real server: its port, how many children it has, and whether it ignores SIGTERM."""

    def command(port: int, children: int = 0, *, stubborn: bool = False) -> tuple[str, ...]:
        return (sys.executable, "-c", SERVER, str(port), str(children), *(["stubborn"] if stubborn else []))

    return command


@pytest.fixture
def appraiser(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command in this process, at 80 columns, and give its result."""
    for name in ("APPRAISER_HOME", "APPRAISER_LEDGER_URL", "APPRAISER_FEED_DATA", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, catch_exceptions=True)

    return run


@pytest.fixture
def started() -> Iterator[Callable[[tuple[str, ...]], subprocess.Popen[bytes]]]:
    """Start a process in a session of its own; it is ended after the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(command: tuple[str, ...]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, start_new_session=True)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
