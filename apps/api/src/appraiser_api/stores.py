"""The ledger and the registry: opened at the first use, once, and never in the event loop."""

import threading
from collections.abc import Callable

import structlog

from appraiser_api.errors import AwayError
from appraiser_api.settings import Settings
from appraiser_model import BundleError, Registry, UnknownVersionError
from appraiser_schema import Alias, Decision, DecisionKind
from appraiser_store import Ledger, UnknownPredictionError

logger = structlog.get_logger("appraiser_api")


class Store[S]:
    """A store that may be away, now or for good; threads share it. That it is away is logged once, not every time."""

    def __init__(
        self, what: str, variable: str, connect: Callable[[], S], answers: tuple[type[Exception], ...] = ()
    ) -> None:
        """Nothing is opened yet.

        Args:
            what: Name of the store, for people.
            variable: The environment variable that says where it is.
            connect: Opens it.
            answers: Errors that tell something of what was asked for, and nothing against the store.
        """
        self._what = what
        self._variable = variable
        self._connect = connect
        self._answers = answers
        self._lock = threading.Lock()
        self._store: S | None = None
        self._away = False

    def read[T](self, question: Callable[[S], T]) -> T:
        """Ask the store something; blocks.

        Raises:
            AwayError: It cannot be opened or does not answer.
        """
        try:
            answer = question(self._open())
        except self._answers:
            raise
        except Exception as error:
            if not self._away:
                logger.warning("store_away", store=self._what, error=f"{type(error).__name__}: {error}")
            self._away = True
            raise AwayError(self._what, self._variable) from error
        if self._away:
            logger.info("store_back", store=self._what)
        self._away = False
        return answer

    def close(self, close: Callable[[S], object]) -> None:
        """Close the store, if it was ever opened."""
        with self._lock:
            if self._store is not None:
                close(self._store)
                self._store = None

    def _open(self) -> S:
        with self._lock:
            if self._store is None:
                self._store = self._connect()
            return self._store


class Stores:
    """Where the history of the system is read."""

    def __init__(self, settings: Settings) -> None:
        self.ledger = Store(
            "ledger",
            "APPRAISER_LEDGER_URL",
            lambda: Ledger(settings.ledger_url),
            answers=(UnknownPredictionError,),
        )
        self.registry = Store(
            "registry",
            "MLFLOW_TRACKING_URI",
            lambda: Registry(settings.tracking_uri),
            answers=(BundleError, UnknownVersionError),
        )

    def promotions(self) -> dict[int, Decision]:
        """The decision about each model version, whether it was promoted."""
        decisions = self.ledger.read(lambda ledger: ledger.decisions(DecisionKind.PROMOTION))
        return {d.model_version: d for d in decisions if d.model_version is not None}

    def served(self) -> set[int]:
        """The versions that were ever put in service."""
        moves = self.ledger.read(lambda ledger: ledger.moves(Alias.CHAMPION))
        return {move.to_version for move in moves}

    def close(self) -> None:
        """Give back what is open."""
        self.ledger.close(Ledger.close)
