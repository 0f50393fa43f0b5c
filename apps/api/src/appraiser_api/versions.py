"""Whether the versions of what works together fit: MLflow's client and server, and the libraries under the model.

Nobody waits for it: what is known is told, and asked for anew aside.
"""

import threading
import time
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import version
from typing import Final

from appraiser_api.champion import Champion
from appraiser_model.card import library_versions

FRESH_SECONDS: Final = 60.0
"""A server is replaced now and then; a question a minute finds it soon enough."""

_PATIENCE_SECONDS: Final = 2.5
_LONGEST: Final = 32
"""Of a version. Whatever else answers at that address is none. [bytes]"""


class Versions:
    """What does not fit, for people.

    Args:
        tracking_uri: Where MLflow is; a file has no server.
    """

    def __init__(self, tracking_uri: str) -> None:
        self._uri = tracking_uri.rstrip("/") if tracking_uri.startswith(("http://", "https://")) else None
        self._client = version("mlflow-skinny")
        self._here = library_versions()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="versions")
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._running: Future[None] | None = None
        self._server: str | None = None

    def mismatches(self, champion: Champion | None) -> tuple[str, ...]:
        """Each thing that does not fit, with what to do. Takes no time: the server is asked aside."""
        self._begin()
        found = [] if champion is None else self._libraries(champion)
        server = self._server
        if server is not None and server != self._client:
            found.append(
                f"MLflow's client here is {self._client}, its server {server}: one of another generation breaks the "
                "registry. Run both from one lock, and `mlflow db upgrade` before a newer server."
            )
        return tuple(found)

    def close(self) -> None:
        """Ask no more; a question on its way is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _libraries(self, champion: Champion) -> list[str]:
        trained = champion.bundle.card.libraries
        other = [
            f"{name} {here} instead of {trained[name]}"
            for name, here in self._here.items()
            if trained.get(name, here) != here
        ]
        told = (
            f"Version {champion.facts.version} was trained with other libraries than run here: {', '.join(other)}. Its "
            "prices may differ in their last digits. Run the image of the lock that trained it, or train it again."
        )
        return [told] if other else []

    def _begin(self) -> None:
        with self._lock:
            waiting = self._running is not None and not self._running.done()
            if self._uri is None or waiting or time.monotonic() - self._asked_at < FRESH_SECONDS:
                return
            self._asked_at = time.monotonic()
            self._running = self._pool.submit(self._ask, self._uri)

    def _ask(self, uri: str) -> None:
        """A server that is away has no version; what was known of it is forgotten, for it may come back as another."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{uri}/version", timeout=_PATIENCE_SECONDS) as answer:
                self._server = answer.read(_LONGEST).decode("ascii", errors="replace").strip()
        except (OSError, ValueError):
            self._server = None
