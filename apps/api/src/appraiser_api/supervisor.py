"""Several workers at one port: this process starts them, starts those anew that die, and ends them."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Final

import structlog

from appraiser_api.settings import Settings

SOCKET: Final = "APPRAISER_API_SOCKET"
LIFELINE: Final = "APPRAISER_API_LIFELINE"
"""File numbers that a worker gets: of the socket to take connections from, and of a pipe that ends with its parent."""

_LOOK_SECONDS: Final = 0.1
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 10.0
_GOOD_SECONDS: Final = 10.0
"""A worker that dies sooner than this is started anew after a pause, twice as long each time."""

logger = structlog.get_logger("appraiser_api")


class Supervisor:
    """Runs the workers until it is told to stop.

    Args:
        settings: How many workers.
        listener: Where they take connections from.
        folder: Where the workers meet.
    """

    def __init__(self, settings: Settings, listener: socket.socket, folder: Path) -> None:
        self._workers = settings.api_workers
        self._folder = folder
        self._socket = listener
        self._lifeline = os.pipe()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._born: dict[int, float] = {}
        self._pause = _FIRST_PAUSE_SECONDS
        self._stopping = False

    def run(self) -> int:
        """Serve.

        Returns:
            Exit code: 0 where every worker ended well.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        logger.info("workers_start", workers=self._workers, port=self._socket.getsockname()[1])
        while not self._stopping:
            self._keep()
            time.sleep(_LOOK_SECONDS)
        # From here on the port is held by workers alone: once they let go of it, nobody waits in vain.
        self._socket.close()
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        # One that was told before it could listen to it has taken nothing.
        codes = {process.wait() for process in self._processes} - {0, -signal.SIGTERM}
        return 1 if codes else 0

    def _keep(self) -> None:
        """Start what is missing, after a pause where workers die young."""
        living = [process for process in self._processes if process.poll() is None]
        for process in self._processes:
            if process not in living:
                age = time.monotonic() - self._born.pop(process.pid)
                self._pause = (
                    _FIRST_PAUSE_SECONDS if age > _GOOD_SECONDS else min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
                )
                logger.error("worker_died", pid=process.pid, code=process.returncode, pause_seconds=self._pause)
                time.sleep(self._pause)
        self._processes = living
        while len(self._processes) < self._workers and not self._stopping:
            self._processes.append(self._start())

    def _start(self) -> subprocess.Popen[bytes]:
        files = (self._socket.fileno(), self._lifeline[0])
        environment = os.environ | {
            SOCKET: str(files[0]),
            LIFELINE: str(files[1]),
            "APPRAISER_WORKER_FOLDER": str(self._folder),
            "PROMETHEUS_MULTIPROC_DIR": str(self._folder / "metrics"),
        }
        process = subprocess.Popen([sys.executable, "-m", "appraiser_api"], env=environment, pass_fds=files)
        self._born[process.pid] = time.monotonic()
        return process

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
