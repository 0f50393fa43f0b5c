"""Several workers at one port: this process starts them, starts those anew that die, and ends them."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

import structlog

from appraiser_api.run_folder import METRICS, PLACE
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


@dataclass(slots=True)
class _Place:
    """A place for one worker.

    Attributes:
        number: From 0.
        process: The worker that has it; None while there is none.
        born: When that was started. [s]
        pause_seconds: How long the place stays empty where its worker dies young. [s]
        due: When the next worker is started, where there is none. [s]
    """

    number: int
    process: subprocess.Popen[bytes] | None = None
    born: float = 0.0
    pause_seconds: float = _FIRST_PAUSE_SECONDS
    due: float = 0.0


class Supervisor:
    """Runs the workers until it is told to stop.

    Args:
        settings: How many workers.
        listener: Where they take connections from.
        folder: Where the workers meet.
    """

    def __init__(self, settings: Settings, listener: socket.socket, folder: Path) -> None:
        self._folder = folder
        self._socket = listener
        self._lifeline = os.pipe()
        self._places = [_Place(number) for number in range(settings.api_workers)]
        self._stopping = False

    def run(self) -> int:
        """Serve.

        Returns:
            Exit code: 0 where every worker ended well.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        logger.info("workers_start", workers=len(self._places), port=self._socket.getsockname()[1])
        while not self._stopping:
            for place in self._places:
                self._keep(place, time.monotonic())
            time.sleep(_LOOK_SECONDS)
        # From here on the port is held by workers alone: once they let go of it, nobody waits in vain.
        self._socket.close()
        processes = [place.process for place in self._places if place.process is not None]
        for process in processes:
            process.send_signal(signal.SIGTERM)
        # One that was told before it could listen to it has taken nothing.
        codes = {process.wait() for process in processes} - {0, -signal.SIGTERM}
        return 1 if codes else 0

    def _keep(self, place: _Place, now: float) -> None:
        """Start the worker of a place if it is missing, after a pause where the one before it died young."""
        if place.process is not None and place.process.poll() is not None:
            self._bury(place, place.process, now)
        if place.process is None and now >= place.due and not self._stopping:
            place.process, place.born = self._start(place.number), now

    def _bury(self, place: _Place, process: subprocess.Popen[bytes], now: float) -> None:
        old = now - place.born > _GOOD_SECONDS
        place.pause_seconds = _FIRST_PAUSE_SECONDS if old else min(place.pause_seconds * 2, _LONGEST_PAUSE_SECONDS)
        place.process, place.due = None, now + place.pause_seconds
        logger.error("worker_died", pid=process.pid, code=process.returncode, pause_seconds=place.pause_seconds)
        # Its gauges would be summed up with those of the living.
        for gauges in (self._folder / METRICS).glob(f"gauge_live*_{place.number}.db"):
            gauges.unlink()

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        files = (self._socket.fileno(), self._lifeline[0])
        environment = os.environ | {
            SOCKET: str(files[0]),
            LIFELINE: str(files[1]),
            PLACE: str(number),
            "APPRAISER_WORKER_FOLDER": str(self._folder),
            "PROMETHEUS_MULTIPROC_DIR": str(self._folder / METRICS),
        }
        return subprocess.Popen([sys.executable, "-m", "appraiser_api"], env=environment, pass_fds=files)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
