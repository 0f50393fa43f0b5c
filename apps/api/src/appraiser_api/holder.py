"""The one reference to the model that serves, and what is known of its state."""

import math

from appraiser_api.champion import Champion
from appraiser_api.errors import NoChampionError
from appraiser_api.metrics import Metrics
from appraiser_schema import Ready


class Holder:
    """Holds the champion. A request takes the reference once; a swap is one assignment, seen whole or not at all."""

    def __init__(self, metrics: Metrics, poll_seconds: float) -> None:
        self._metrics = metrics
        self._retry_after = math.ceil(poll_seconds)
        self._champion: Champion | None = None
        self._detail = "No model is loaded yet: the service has just started. Ask again in a few seconds."

    @property
    def current(self) -> Champion | None:
        """The model that serves, if there is one."""
        return self._champion

    def champion(self) -> Champion:
        """The model that serves.

        Raises:
            NoChampionError: None was loaded yet.
        """
        champion = self._champion
        if champion is None:
            raise NoChampionError(self._detail, retry_after=self._retry_after)
        return champion

    def swap(self, champion: Champion) -> None:
        """Let a model serve that was loaded and found good."""
        self._champion = champion
        self._metrics.champion_version.set(champion.facts.version)
        self._metrics.champion_loaded.set_to_current_time()
        self._metrics.champion_trained.set(champion.bundle.card.created_at.timestamp())

    def report(self, detail: str) -> None:
        """Say how things stand, in words that tell an operator what to do."""
        self._detail = detail

    def ready(self) -> Ready:
        """Whether a model serves, which, and how things stand."""
        champion = self._champion
        return Ready(
            ready=champion is not None, model=None if champion is None else champion.reference, detail=self._detail
        )
