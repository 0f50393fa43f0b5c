"""The thread that ships records to the ledger, in order and once, and those that a dead process left behind."""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import structlog

from appraiser_api.errors import AwayError
from appraiser_api.prediction_log.entries import SINGLE
from appraiser_api.prediction_log.metrics import Failed, LogCounts
from appraiser_api.prediction_log.reading import Found
from appraiser_api.prediction_log.rows import slices
from appraiser_api.prediction_log.source import Source, adoptable
from appraiser_api.priority import stand_back
from appraiser_schema import LiveError
from appraiser_store import PredictionRow, RefusedPredictionError

IDLE_SECONDS: Final = 0.25
"""How long the thread rests when all is shipped; so fresh is the ledger."""

FEW_ROWS: Final = 500
"""After so few the thread rests as well: a transaction costs as much as a hundred rows, and while it ships single
houses as they come it takes the time of those who answer."""

ADOPT_SECONDS: Final = 2.0
LIVE_SECONDS: Final = 60.0
FIRST_RETRY_SECONDS: Final = 0.5
LONGEST_RETRY_SECONDS: Final = 10.0
"""A ledger that is away is asked again after half a second, then twice as long each time."""

logger = structlog.get_logger("appraiser_api")


class Sink(Protocol):
    """Where records go. Either may raise AwayError; then all is tried again."""

    def save(self, rows: Sequence[PredictionRow]) -> int:
        """Record what is not yet on record, all or nothing."""

    def live_errors(self) -> list[LiveError]:
        """How appraisals compare with sales."""

    def close(self) -> None:
        """Give back what is open."""


class Shipper:
    """Ships until it is stopped.

    Args:
        root: Folder of the streams of all processes.
        sources: The process's own streams.
        sink: The ledger.
        metrics: Where it is counted.
        clock: Monotonic. [s]
        can_wait: Whether what is in the process's own streams may be shipped later.
    """

    def __init__(
        self,
        root: Path,
        sources: Sequence[Source],
        sink: Sink,
        metrics: LogCounts,
        clock: Callable[[], float] = time.monotonic,
        *,
        can_wait: Callable[[], bool] = lambda: False,
    ) -> None:
        self._root = root
        self._own = tuple(sources)
        self._adopted: list[Source] = []
        self._sink = sink
        self._metrics = metrics
        self._clock = clock
        self._can_wait = can_wait
        self._retry_seconds = 0.0
        self._taken = 0
        self._adopt_at = self._live_at = clock()
        self._stop = threading.Event()
        self._until = float("inf")
        self._thread = threading.Thread(target=self._run, name="prediction-shipper", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, grace_seconds: float) -> None:
        """Ship what is left within the grace time; the rest stays on the disk, for the next process."""
        self._until = self._clock() + grace_seconds
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(grace_seconds)

    def measure(self) -> None:
        """Tell how much is waiting; never waits for the ledger."""
        sources = (*self._own, *self._adopted)
        oldest = [source.oldest for source in sources if source.oldest is not None]
        self._metrics.waiting(
            records=sum(source.backlog_records for source in sources),
            size_bytes=sum(source.backlog_bytes for source in sources),
            age_seconds=max(0.0, time.time() - min(oldest)) if oldest else 0.0,
        )

    def work(self) -> bool:
        """Ship one chunk of every stream.

        Returns:
            Whether there may be more.

        Raises:
            AwayError: The ledger is away; what was not shipped is still there.
        """
        self._taken = 0
        if self._clock() >= self._adopt_at:
            self._adopt()
        more = [self._ship(source) for source in (*self._own, *self._adopted)]
        for source, left in zip(tuple(self._adopted), more[len(self._own) :], strict=True):
            if not left:
                source.release()
                self._adopted.remove(source)
        return any(more)

    def _run(self) -> None:
        # On one processor for all of the service, houses were answered at .82 and .83 of the speed of FastAPI without a
        # model; at the priority of those who answer, .67 and .78.
        stand_back()
        while self._clock() < self._until:
            more = self._work_or_wait()
            if self._stop.is_set():
                if not more:
                    break
            elif not more or self._taken < FEW_ROWS:
                self._stop.wait(self._retry_seconds or IDLE_SECONDS)
        for source in self._adopted:
            source.release()
        self._sink.close()

    def _work_or_wait(self) -> bool:
        try:
            more = self.work()
        except Exception as error:
            # Whatever it is, it may go well next time; without this thread the backlog would grow for ever.
            if not isinstance(error, AwayError):
                logger.exception("prediction_shipping_failed")
            self._metrics.failed(Failed.SHIP)
            self._retry_seconds = min(self._retry_seconds * 2 or FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS)
            return False
        self._retry_seconds = 0.0
        if not more and self._clock() >= self._live_at:
            self._tell_live_errors()
        return more

    def _tell_live_errors(self) -> None:
        self._live_at = self._clock() + LIVE_SECONDS
        with contextlib.suppress(AwayError):
            self._metrics.live(self._sink.live_errors())

    def _adopt(self) -> None:
        self._adopt_at = self._clock() + ADOPT_SECONDS
        known = {source.folder for source in (*self._own, *self._adopted)}
        for source in adoptable(self._root, known):
            self._adopted.append(source)
        for source in (source for source in self._adopted if source.folder not in known):
            source.count()
            logger.info("predictions_adopted", stream=source.folder.name, records=source.backlog_records)

    def _ship(self, source: Source) -> bool:
        if source in self._own and not self._stop.is_set() and self._can_wait():
            return False
        found = source.read() if source.folder.is_dir() else []
        if found:
            self._save(source, found)
            source.shipped(found)
            source.oldest = None
        return bool(found)

    def _save(self, source: Source, found: Sequence[Found]) -> None:
        """Put records into the ledger; what is none, or is refused, is set aside and holds up nothing."""
        singles: list[tuple[Found, PredictionRow]] = []
        for one in found:
            if one.whole:
                self._try(source, one, partial(self._take, one, singles))
            else:
                self._set_aside(source, one, Failed.DAMAGED, "the checksum is wrong, or the end is missing")
        try:
            self._save_rows([row for _, row in singles])
        except RefusedPredictionError:
            for one, row in singles:
                self._try(source, one, partial(self._save_rows, [row]))

    def _take(self, found: Found, singles: list[tuple[Found, PredictionRow]]) -> None:
        """Collect the row of a single house; save a table at once, in slices, for it may be long."""
        for rows in slices(found.content):
            if found.content[0] == SINGLE:
                singles.append((found, rows[0]))
            else:
                self._save_rows(rows)

    def _save_rows(self, rows: Sequence[PredictionRow]) -> None:
        if rows:
            self._taken += len(rows)
            self._metrics.shipped(self._sink.save(rows))

    def _try(self, source: Source, found: Found, step: Callable[[], None]) -> None:
        """Do something with a record; one that is at fault itself must not keep those behind it waiting."""
        try:
            step()
        except AwayError:
            raise
        except RefusedPredictionError as error:
            self._set_aside(source, found, Failed.REFUSED, str(error))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it
            self._set_aside(source, found, Failed.DAMAGED, f"{type(error).__name__}: {error}")

    def _set_aside(self, source: Source, found: Found, reason: Failed, error: str) -> None:
        file = source.set_aside(found)
        self._metrics.failed(reason)
        logger.error("prediction_set_aside", file=str(file), reason=reason.value, error=error)
