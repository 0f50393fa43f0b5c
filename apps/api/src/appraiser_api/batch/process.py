"""The process that tables are worked on in, as the service sees it."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO, Final, Self

import structlog
from anyio import to_thread
from pydantic import TypeAdapter, ValidationError

from appraiser_api.batch.errors import BatchStoppedError
from appraiser_api.batch.wire import HEADER, Frame, Job, Note, Refusal, Setup, frame, read_header
from appraiser_api.metrics import Metrics
from appraiser_api.prediction_log import LogMetrics
from appraiser_api.prediction_log.log import GRACE_SECONDS
from appraiser_api.prediction_log.metrics import Log

PIECE_BYTES: Final = 256 * 1024
"""Of an answer so much is passed on at once; single houses are answered between two pieces."""

END_SECONDS: Final = 2 * GRACE_SECONDS
"""How long the process may take to end: for the chunks that it has begun, and to ship what is on record."""

_HEADERS: Final = TypeAdapter(dict[str, str])

logger = structlog.get_logger("appraiser_api")


@dataclass(frozen=True, slots=True)
class _Running:
    """One that was started.

    Attributes:
        control: Where tables are handed over.
        watch: Reads what it tells until it has ended.
    """

    control: socket.socket
    watch: threading.Thread


class TableProcess:
    """Starts the process with the first table, and with the next one where it has ended.

    It has its own interpreter, its own memory and a low priority: a table takes from single houses nothing but what
    they leave, and one that a library does not survive takes nobody with it.

    Args:
        setup: What the process is told.
        metrics: Where its deaths are counted.
        log_metrics: Where its log is counted.
    """

    def __init__(self, setup: Setup, metrics: Metrics, log_metrics: LogMetrics) -> None:
        self._setup = setup
        self._metrics = metrics
        self._log_metrics = log_metrics
        self._lock = threading.Lock()
        self._running: _Running | None = None

    def hand_over(self, file: IO[bytes]) -> socket.socket:
        """Give it a table; call it in a thread.

        Args:
            file: The body. It is closed here, and open there.

        Returns:
            Where the job is told, and the answer comes from.

        Raises:
            BatchStoppedError: There is no process, and none can be started.
        """
        ours, theirs = socket.socketpair()
        with file, theirs, self._lock:
            try:
                if self._running is None or not _sent(self._running, theirs, file):
                    _sent(self._start(), theirs, file)
            except OSError as error:
                ours.close()
                raise BatchStoppedError from error
        return ours

    def begin_to_stop(self) -> None:
        """Let it end; what it has on record, and the ledger takes soon, is shipped first."""
        with self._lock:
            if self._running is not None:
                with contextlib.suppress(OSError):
                    self._running.control.shutdown(socket.SHUT_WR)

    def stop(self) -> None:
        """Wait until it has ended."""
        self.begin_to_stop()
        with self._lock:
            self._forget()

    def _start(self) -> _Running:
        self._forget()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = subprocess.Popen(
                    [sys.executable, "-m", "appraiser_api.batch", str(theirs.fileno())],
                    stdin=subprocess.PIPE,
                    pass_fds=(theirs.fileno(),),
                )
        except OSError:
            ours.close()
            raise
        logger.info("table_process_starts", pid=process.pid)
        watch = threading.Thread(target=self._watch, args=(process, ours), name="table-process", daemon=True)
        watch.start()
        self._running = _Running(ours, watch)
        assert process.stdin is not None  # noqa: S101 - it was asked for
        with process.stdin as told:
            told.write(self._setup.model_dump_json().encode())
        return self._running

    def _forget(self) -> None:
        """Wait for the end of the one that there was."""
        if self._running is not None:
            self._running.watch.join()
            self._running.control.close()
            self._running = None

    def _watch(self, process: "subprocess.Popen[bytes]", control: socket.socket) -> None:
        # The last line of one that was killed can be half of a note.
        with contextlib.suppress(OSError, ValidationError), control.makefile("rb") as lines:
            for line in lines:
                self._count(Note.model_validate_json(line))
        try:
            code = process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        # What it has left is taken over, and counted, by another log.
        self._log_metrics.waiting(records=0, size_bytes=0, age_seconds=0.0, log=Log.TABLES)
        if code:
            self._metrics.table_process_deaths.inc()
            logger.error("table_process_died", pid=process.pid, code=code)

    def _count(self, note: Note) -> None:
        if note.waiting is not None:
            records, size_bytes, age_seconds = note.waiting
            self._log_metrics.waiting(records=records, size_bytes=size_bytes, age_seconds=age_seconds, log=Log.TABLES)
        if note.shipped:
            self._log_metrics.shipped(note.shipped)
        if note.failed is not None:
            self._log_metrics.failed(note.failed)


def _sent(running: _Running, *files: socket.socket | IO[bytes]) -> bool:
    """Hand files over; whether somebody is there to take them."""
    try:
        socket.send_fds(running.control, [b"t"], [file.fileno() for file in files])
    except ConnectionError:
        return False
    return True


@dataclass(slots=True)
class Answer:
    """What comes back for a table, as it comes.

    Attributes:
        headers: Those of the response.
    """

    headers: dict[str, str]
    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter
    _left: int = 0

    @classmethod
    async def ask(cls, process: TableProcess, job: Job, file: IO[bytes]) -> Self:
        """Have a table worked on, and wait for its first rows.

        Args:
            process: What works on it.
            job: What is asked.
            file: The body; it is closed here.

        Raises:
            ApiError: The body is no table of listings, its rows cannot be put on record, or the process has ended.
        """
        connection = await to_thread.run_sync(process.hand_over, file)
        answer = cls({}, *await asyncio.open_unix_connection(sock=connection, limit=PIECE_BYTES))
        try:
            answer._writer.write(frame(Frame.JOB, job.model_dump_json().encode()))
            answer._left = await answer._next()
        except BaseException:
            answer.close()
            raise
        return answer

    async def parts(self) -> AsyncIterator[bytes]:
        """The body of the response, in pieces.

        Raises:
            ApiError: As for `ask`, but it shows later.
        """
        while self._left:
            while self._left:
                piece = await self._reader.read(min(self._left, PIECE_BYTES))
                if not piece:
                    raise BatchStoppedError
                self._left -= len(piece)
                yield piece
            self._left = await self._next()

    def close(self) -> None:
        """Let the process know that nobody reads on."""
        self._writer.close()

    async def _next(self) -> int:
        """Go to the next part.

        Returns:
            How many bytes it has; 0 where there is none any more.
        """
        while True:
            kind, length = read_header(await self._exactly(HEADER.size))
            match kind:
                case Frame.PART if not length:
                    continue
                case Frame.PART:
                    return length
                case Frame.END:
                    return 0
            content = await self._exactly(length)
            if kind is Frame.REFUSAL:
                raise Refusal.model_validate_json(content).raised()
            self.headers = _HEADERS.validate_json(content)

    async def _exactly(self, length: int) -> bytes:
        try:
            return await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise BatchStoppedError from error
