"""The prediction log of one process: every answer is on record before it leaves, and reaches the ledger afterwards."""

import os
import threading
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from appraiser_api.errors import LogFullError
from appraiser_api.prediction_log.entries import TABLE, Head, LoggedModel, pack
from appraiser_api.prediction_log.ids import is_own, new_request_id
from appraiser_api.prediction_log.metrics import Failed, LogCounts
from appraiser_api.prediction_log.reading import holds
from appraiser_api.prediction_log.shipper import Shipper, Sink
from appraiser_api.prediction_log.source import Source
from appraiser_api.prediction_log.stream import Stream

if TYPE_CHECKING:
    import polars as pl

    from appraiser_model import Appraised

GROUP_SECONDS: Final = 0.05
"""How often `group` brings to the disk what the system has: what a loss of power can cost."""

GRACE_SECONDS: Final = 5.0
"""How long a process that ends waits for the ledger; what is left is shipped by another, or after the next start."""

MEASURE_SECONDS: Final = 1.0

MANY_ROWS: Final = 500
BUSY_SECONDS: Final = 0.5
LONGEST_BUSY_SECONDS: Final = 10.0
"""So long after many rows of a table more are expected, and so long in all tables wait for the ledger meanwhile: to
ship a house costs almost what it costs to appraise it, and would take a third of the processors from the table."""

logger = structlog.get_logger("appraiser_api")


class SyncPolicy(StrEnum):
    """When a record is on the disk itself. Under both it is with the system, and survives the process, at once."""

    GROUP = "group"
    ALWAYS = "always"


class PredictionLog:
    """Appends what is answered, and ships it. One per process; the event loop and threads share it.

    Args:
        root: Folder of the logs of all processes.
        policy: When a record is on the disk itself.
        metrics: Where failures and what waits are counted.
        sink: The ledger; without it records stay in the folder, for a process that has one.
    """

    def __init__(
        self, root: Path, policy: SyncPolicy = SyncPolicy.GROUP, *, metrics: LogCounts, sink: Sink | None = None
    ) -> None:
        self._root = root
        self._metrics = metrics
        self._stream = Stream(root, f"{new_request_id()}-log", always_sync=policy is SyncPolicy.ALWAYS)
        own = Source(self._stream.folder, self._stream)
        self._busy_since = self._busy_until = 0.0
        self._shipper = None if sink is None else Shipper(root, [own], sink, metrics, can_wait=self._can_wait)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="prediction-log", daemon=True)

    def start(self) -> None:
        """Make the folder, so that no answer waits for that, and start the threads that sync and ship."""
        try:
            self._stream.open()
        except OSError as error:
            # Answers are refused until it can be made, and say why.
            self._metrics.failed(Failed.APPEND)
            logger.error("prediction_log_unusable", error=str(error))  # noqa: TRY400 - no fault of the code
        self._thread.start()
        if self._shipper is not None:
            self._shipper.start()

    def append(self, *records: bytes) -> None:
        """Put the answers about single houses on record; call it in the event loop before any of them is sent.

        It costs one system call, some microseconds in all. When it returns, the records survive the death of the
        process; what it takes for them to survive a loss of power is the policy's. Where it raises, nothing of them
        stays, and the error is the answer to all of them.

        Args:
            records: What `single_house` made.

        Raises:
            LogFullError: They cannot be written: 503 with Retry-After, by the handler that all errors have.
        """
        self._write(*records)

    def append_table(
        self,
        request_id: str,
        listings: "pl.DataFrame",
        appraised: "Appraised",
        *,
        at: float,
        model: LoggedModel,
        latency_seconds: float,
        client_request_id: str | None = None,
        rows: "pl.Series | None" = None,
    ) -> None:
        """Put the answers about a table, or a part of one, on record as one Arrow stream; call it in a thread.

        A hundred thousand houses take about 40 ms. Parts of one table have the same request id and different rows.

        Args:
            request_id: As for `append`.
            listings: The listings as they were asked about, n rows; other columns than those of a listing are kept too.
            appraised: What was answered, each of shape (n,).
            at: Now, in seconds since 1970.
            model: Which model answered.
            latency_seconds: From the request's arrival until now. [s]
            client_request_id: As for `append`.
            rows: Number of each row in the table that was sent, n whole numbers; None counts from 1.

        Raises:
            LogFullError: As for `append`.
        """
        from appraiser_api.prediction_log.tables import pack_table  # noqa: PLC0415 - polars is no part of the start

        if listings.height:
            body = pack_table(listings, appraised, rows)
            head = Head(TABLE, request_id, client_request_id, at, latency_seconds, listings.height, model)
            self._write(pack(head, body))
            if listings.height >= MANY_ROWS:
                self._keep_busy(time.monotonic())

    def holds(self, request_id: str, row: int = 0) -> bool:
        """Whether an appraisal is on record, by whatever process, and on its way to the ledger.

        Reads the whole backlog, unless the id is none that the service gives: ask one question at a time.
        """
        return is_own(request_id) and holds(self._root, request_id, row)

    def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Ship what the ledger takes within the grace time; what is left stays on the disk for the next process."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._sync()
        if self._shipper is not None:
            self._shipper.stop(grace_seconds)
            self._shipper.measure()
        self._stream.close()
        folder = self._stream.folder
        if folder.is_dir() and (source := Source.adopt(folder)) is not None:
            source.release()

    def _keep_busy(self, now: float) -> None:
        if now >= self._busy_until:
            self._busy_since = now
        self._busy_until = now + BUSY_SECONDS

    def _can_wait(self) -> bool:
        now = time.monotonic()
        return now < self._busy_until and now < self._busy_since + LONGEST_BUSY_SECONDS

    def _write(self, *payloads: bytes) -> None:
        try:
            self._stream.append(*payloads)
        except OSError as error:
            self._metrics.failed(Failed.APPEND)
            raise LogFullError(os.strerror(error.errno) if error.errno else str(error)) from error

    def _keep(self) -> None:
        measure_at = 0.0
        while not self._stop.wait(GROUP_SECONDS):
            self._sync()
            if self._shipper is not None and time.monotonic() >= measure_at:
                measure_at = time.monotonic() + MEASURE_SECONDS
                self._measure(self._shipper)

    def _sync(self) -> None:
        try:
            self._stream.sync()
        except OSError as error:
            self._metrics.failed(Failed.SYNC)
            logger.error("prediction_log_sync_failed", error=str(error))  # noqa: TRY400 - no fault of the code

    def _measure(self, shipper: Shipper) -> None:
        try:
            shipper.measure()
        except Exception:
            # A segment may go while it is looked at; without this thread nothing would be synced.
            logger.exception("prediction_log_not_measured")
