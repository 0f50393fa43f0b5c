"""The thread that follows the registry's champion: loads each new one aside, and lets it serve once it proved good."""

import gc
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from appraiser_api.champion import Champion
from appraiser_api.errors import AwayError, ChampionError
from appraiser_api.holder import Holder
from appraiser_api.live import LiveInputs
from appraiser_api.loader import Loader
from appraiser_api.metrics import Metrics
from appraiser_api.workers import Workers
from appraiser_model import BundleError

FIRST_RETRY_SECONDS: Final = 30.0
LONGEST_RETRY_SECONDS: Final = 600.0
"""A version that cannot be loaded is tried again after 30 s, then twice as long each time: a download can break, but a
damaged bundle stays damaged."""

ASKED_SECONDS: Final = 0.15
"""How often it is looked whether a look was asked for: a push takes about as long to reach every worker."""

_STOP_SECONDS: Final = 5.0

logger = structlog.get_logger("appraiser_api")


@dataclass(slots=True)
class Failure:
    """A version that could not be loaded."""

    version: int
    wait_seconds: float
    retry_at: float


class Watcher:
    """Follows the champion until it is stopped.

    Args:
        holder: Where the champion is put.
        loader: What loads it.
        metrics: Where failures are counted.
        workers: Where this worker tells what it serves, and is asked to look at once.
        live: The latest listings, told along with it.
        poll_seconds: How often the registry is asked.
        clock: Monotonic. [s]

    Attributes:
        began: Set once a model serves, or it was found that none can yet.
    """

    def __init__(
        self,
        holder: Holder,
        loader: Loader,
        metrics: Metrics,
        workers: Workers,
        live: LiveInputs,
        *,
        poll_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._holder = holder
        self._loader = loader
        self._metrics = metrics
        self._workers = workers
        self._live = live
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._generation = workers.asked()
        self.began = threading.Event()
        self._failure: Failure | None = None
        self._completed: Champion | None = None
        self._incomplete = self._trouble = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="champion-watcher", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end; a download that hangs is not waited for."""
        self._stop.set()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        self.take_cached()
        self._publish()
        if self._holder.current is not None:
            self.began.set()
        while not self._stop.is_set():
            asked = self._workers.asked()
            if asked > self._generation:
                # Whoever asks has perhaps mended what failed.
                self._failure = None
                if self._incomplete:
                    self._completed = None
            try:
                self.look()
            except Exception as error:
                # Whatever it is, the next look may go well; without this thread no champion would be seen again.
                logger.exception("look_failed", error=str(error))
            self._complete()
            self._generation = max(asked, self._generation)
            self._publish()
            self.began.set()
            self._wait()
        self._workers.leave()

    def _complete(self) -> None:
        """Load what a model from the cache needs beyond single houses; it serves them meanwhile."""
        champion = self._holder.current
        if champion is None or champion is self._completed:
            return
        self._completed, self._incomplete = champion, ""
        try:
            champion.complete()
            # What is there now stays: the search for garbage need not go through it again and again.
            gc.freeze()
        except Exception as error:
            # It was good when it was kept: it goes on with single houses.
            logger.exception("champion_incomplete", version=champion.facts.version, error=str(error))
            self._metrics.champion_failures.inc()
            self._incomplete = (
                f"It cannot be used for tables and explanations: {outside(error)} Let it be tried again (`POST "
                "/admin/reload`), or move the alias (`./appraiser models rollback`). "
            )
        self._report(self._trouble)

    def _wait(self) -> None:
        """Wait until the next look is due, or was asked for."""
        due = self._clock() + self._poll_seconds
        while (left := due - self._clock()) > 0 and not self._stop.wait(min(left, ASKED_SECONDS)):
            if self._workers.asked() > self._generation:
                return

    def _publish(self) -> None:
        state = self._holder.ready()
        champion = self._holder.current
        try:
            counts = {} if champion is None else self._live.counts(champion)
            self._workers.publish(state.model, state.detail, self._generation, counts)
        except Exception as error:
            # A full disk is no reason to stop following the champion.
            logger.exception("state_untold", error=str(error))

    def take_cached(self) -> None:
        """Let the last good model serve that the cache has."""
        try:
            champion = self._loader.cached()
        except Exception as error:
            logger.exception("cache_unusable", error=str(error))
            return
        if champion is not None:
            self._holder.swap(champion)
            self._holder.report(f"Version {champion.facts.version} serves, from the cache.")
            logger.info("champion_serves", version=champion.facts.version, source="cache")

    def look(self) -> None:
        """Ask the registry for its champion once, and take it where it is another one."""
        try:
            version = self._loader.champion_version()
            known = version is None or self._loader.is_same(version, self._holder.current)
        except AwayError as error:
            self._metrics.registry_up.set(0)
            self._report(str(error))
            return
        finally:
            # A look counts once it has ended: until then nothing is known of the registry.
            self._metrics.registry_looks.inc()
        self._metrics.registry_up.set(1)
        if version is None:
            self._report(self._nothing_promoted())
        elif known:
            self._failure = None
            self._report("")
        elif self._failure is None or self._failure.version != version or self._clock() >= self._failure.retry_at:
            self._take(version)

    def _take(self, version: int) -> None:
        started = self._clock()
        try:
            champion = self._loader.load(version)
        except Exception as error:
            logger.exception("champion_unusable", version=version, error=str(error))
            self._metrics.champion_failures.inc()
            self._remember(version, error)
            return
        self._holder.swap(champion)
        self._failure = None
        self._report("")
        logger.info("champion_serves", version=version, source="registry", seconds=round(self._clock() - started, 3))

    def _remember(self, version: int, error: Exception) -> None:
        before = self._failure
        wait = FIRST_RETRY_SECONDS
        if before is not None and before.version == version:
            wait = min(before.wait_seconds * 2, LONGEST_RETRY_SECONDS)
        self._failure = Failure(version, wait, self._clock() + wait)
        self._report(
            f"Version {version} is the champion but cannot be used: {outside(error)} It is tried again after {wait:g} "
            "s; to serve another version, move the alias (`./appraiser models rollback`)."
        )

    def _nothing_promoted(self) -> str:
        if self._holder.current is not None:
            return "The registry names no champion any more; the last good one goes on."
        return (
            "No model was promoted yet. Run the pipeline (`./appraiser pipeline run`); this service takes the champion "
            f"by itself within {math.ceil(self._poll_seconds)} s."
        )

    def _report(self, trouble: str) -> None:
        self._trouble = trouble
        champion = self._holder.current
        serving = "" if champion is None else f"Version {champion.facts.version} serves. "
        if champion is self._completed:
            serving += self._incomplete
        self._holder.report((serving + trouble[:1].upper() + trouble[1:]).strip())


def outside(error: Exception) -> str:
    """What whoever asks for the state is told of an error: kind and problem, and not where on this machine it lies."""
    if isinstance(error, BundleError):
        return f"{type(error).__name__}: {error.problem.replace(str(error.folder), 'the bundle')}."
    return str(error) if isinstance(error, AwayError | ChampionError) else f"{type(error).__name__}, see the log."
