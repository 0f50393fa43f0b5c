"""The listings that the champion has learned from: fetched at the first question, and cached beside its bundle."""

import threading
from pathlib import Path
from typing import Literal

import structlog

from appraiser_api.champion import Champion
from appraiser_api.errors import AwayError
from appraiser_api.stores import Store
from appraiser_model import COMPARABLES_FILE, KeptListings, ModelError, Registry
from appraiser_model.errors import KeptListingsError

type Missing = Literal["absent", "unreadable"]
"""Absent for good, as the model was made without them; unreadable for now."""

logger = structlog.get_logger("appraiser_api")


class Kept:
    """Gives the listings of the champion; threads share it."""

    def __init__(self, registry: Store[Registry], cache: Path) -> None:
        """Nothing is fetched yet.

        Args:
            registry: Where they are fetched from.
            cache: Folder of the cached models.
        """
        self._registry = registry
        self._cache = cache
        self._lock = threading.Lock()
        self._of: Champion | None = None
        self._found: KeptListings | Missing = "unreadable"

    def listings_of(self, champion: Champion) -> KeptListings | Missing:
        """The listings of a champion, or why there are none; blocks, the first time for a download."""
        with self._lock:
            if self._of is not champion or self._found == "unreadable":
                self._found = self._look(champion)
                self._of = champion
            return self._found

    def _look(self, champion: Champion) -> KeptListings | Missing:
        folder = self._cache / champion.bundle.digest
        file = folder / COMPARABLES_FILE
        try:
            if not file.exists():
                folder.mkdir(parents=True, exist_ok=True)
                version = champion.facts.version
                if self._registry.read(lambda registry: registry.fetch_file(version, COMPARABLES_FILE, folder)) is None:
                    return "absent"
            return KeptListings.read(file, champion.bundle.model.encoder)
        except (AwayError, ModelError, OSError) as error:
            if isinstance(error, KeptListingsError):
                file.unlink(missing_ok=True)
            logger.warning("kept_listings_unreadable", version=champion.facts.version, kind=type(error).__name__)
            return "unreadable"
