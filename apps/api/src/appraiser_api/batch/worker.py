"""What the table process does: it works on tables until the service has gone."""

import json
import os
import socket
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Final

import polars as pl
import structlog

from appraiser_api.batch.errors import BatchModelError
from appraiser_api.batch.session import Session
from appraiser_api.batch.wire import (
    HEADER,
    IGNORED,
    MODEL,
    RECORD,
    Frame,
    Job,
    Note,
    Refusal,
    Setup,
    frame,
    read_header,
)
from appraiser_api.cache import Pointer
from appraiser_api.champion import Champion
from appraiser_api.errors import ApiError
from appraiser_api.prediction_log import PredictionLog
from appraiser_api.prediction_log.metrics import Failed
from appraiser_api.prediction_log.sink import LedgerSink
from appraiser_model import Appraised, Bundle, ModelError
from appraiser_schema import LiveError

MOST_MODELS: Final = 2
"""The one that serves, and the one before it for tables that it has begun."""

logger = structlog.get_logger("appraiser_api")


class Models:
    """The latest models, read from the cache of the service, which has verified them; threads share it.

    Args:
        root: Folder of the cache.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._known: list[tuple[Pointer, Champion]] = []

    def get(self, model: Pointer) -> Champion:
        """One of them.

        Raises:
            BatchModelError: It is not in the cache any more, or was damaged there.
        """
        with self._lock:
            found = next((champion for pointer, champion in self._known if pointer == model), None)
            if found is None:
                found = self._read(model)
                self._known = [*self._known, (model, found)][-MOST_MODELS:]
            return found

    def _read(self, model: Pointer) -> Champion:
        try:
            return Champion(Bundle.load(self._root / model.digest, model.digest), model.facts)
        except (ModelError, OSError) as error:
            logger.exception("table_model_unusable", version=model.facts.version, error=str(error))
            raise BatchModelError(model.facts.version) from error


class TableSink(LedgerSink):
    """The ledger for rows alone: of sales the service tells by itself, and the ledger is not asked twice."""

    def live_errors(self) -> list[LiveError]:
        """None."""
        return []


class Notes:
    """Tells the service what the log counts.

    Args:
        control: Where to.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._lock = threading.Lock()

    def waiting(self, *, records: int, size_bytes: int, age_seconds: float) -> None:
        """Tell how much waits for the ledger."""
        self._tell(Note(waiting=(records, size_bytes, age_seconds)))

    def shipped(self, count: int) -> None:
        """Count what the ledger has taken."""
        self._tell(Note(shipped=count))

    def failed(self, reason: Failed) -> None:
        """Count a failure."""
        self._tell(Note(failed=reason))

    def live(self, errors: Sequence[LiveError]) -> None:
        """There are none, see `TableSink`."""

    def _tell(self, note: Note) -> None:
        with self._lock, suppress(OSError):
            self._control.sendall(note.model_dump_json(exclude_defaults=True).encode() + b"\n")


class Table:
    """One table, from its job to the last frame of its answer.

    Args:
        job: What is asked.
        file: The body.
        models: Where the model comes from.
        log: Where each chunk is put on record before its part of the answer leaves.
    """

    def __init__(self, job: Job, file: IO[bytes], models: Models, log: PredictionLog) -> None:
        self._job = job
        self._file = file
        self._models = models
        self._log = log

    def frames(self) -> Generator[bytes]:
        """The answer; an error is its last frame. Each is worked on for as long as a chunk takes at most."""
        try:
            yield from self._answer()
        except Exception as error:
            if not isinstance(error, ApiError):
                logger.exception("table_failed")
            yield frame(Frame.REFUSAL, Refusal.of(error).model_dump_json().encode())

    def _answer(self) -> Iterator[bytes]:
        job = self._job
        champion = self._models.get(job.model)
        session = Session.open(self._file, job.sent, job.wanted, champion)
        headers = {MODEL: f"{champion.reference.name}/{champion.reference.version}", RECORD: job.record_id}
        if session.ignored:
            headers[IGNORED] = ", ".join(session.ignored).encode("ascii", "replace").decode()[:1000]
        yield frame(Frame.HEADERS, json.dumps(headers).encode())

        def record(numbered: pl.DataFrame, appraised: Appraised) -> None:
            listings = numbered.clone()
            rows = listings.drop_in_place("row_number")
            self._log.append_table(
                job.record_id,
                listings,
                appraised,
                model=champion.logged,
                at=time.time(),
                latency_seconds=time.perf_counter() - job.began,
                client_request_id=job.client_id,
                rows=rows,
            )

        for part in session.answer(record):
            yield frame(Frame.PART, part)
        yield frame(Frame.END)


class Worker:
    """Works on tables, so many at a time.

    Args:
        setup: What it was told.
        control: Where a byte with two files comes for each table: its socket and its body.
    """

    def __init__(self, setup: Setup, control: socket.socket) -> None:
        self._control = control
        self._models = Models(setup.models)
        self._log = PredictionLog(
            setup.prediction_log, setup.sync, metrics=Notes(control), sink=TableSink(setup.ledger_url)
        )
        self._turns = ThreadPoolExecutor(setup.threads, "table-turn")

    def run(self) -> None:
        """Work until the service has gone; then ship what the ledger takes within the log's grace time."""
        self._log.start()
        while files := socket.recv_fds(self._control, 1, 2)[1]:
            asked = socket.socket(fileno=files[0]), os.fdopen(files[1], "rb")
            threading.Thread(target=self._take, args=asked, name="table", daemon=True).start()
        self._turns.shutdown(cancel_futures=True)
        self._log.stop()

    def _take(self, connection: socket.socket, file: IO[bytes]) -> None:
        """Answer a table. A reader who is slow keeps this thread waiting, and no turn of others."""
        # Whoever leaves in the middle is noticed when the next frame is sent; at the end of all there are no turns.
        with connection, file, suppress(OSError, CancelledError, RuntimeError):
            job = _job(connection)
            if job is None:
                return
            with closing(Table(job, file, self._models, self._log).frames()) as frames:
                while (part := self._turns.submit(next, frames, None).result()) is not None:
                    connection.sendall(part)


def _job(connection: socket.socket) -> Job | None:
    """What is asked; None where whoever asks has left before that was said."""
    with connection.makefile("rb") as reader:
        header = reader.read(HEADER.size)
        if len(header) < HEADER.size:
            return None
        _, length = read_header(header)
        content = reader.read(length)
    return None if len(content) < length else Job.model_validate_json(content)
