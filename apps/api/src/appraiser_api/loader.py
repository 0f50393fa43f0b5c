"""Loading a model aside, from the registry or the cache; it is verified before it may serve."""

from appraiser_api.cache import ModelCache, Pointer
from appraiser_api.champion import Champion
from appraiser_api.stores import Store
from appraiser_model import Bundle, Registry
from appraiser_schema import Alias


class Loader:
    """Loads versions of the model, and keeps the last good ones on disk.

    Args:
        registry: Where the versions are.
        cache: Where the last good ones are kept.
        alias: Which one is served: the champion, or the challenger by a service that runs beside for comparison.
    """

    def __init__(self, registry: Store[Registry], cache: ModelCache, alias: Alias = Alias.CHAMPION) -> None:
        self._registry = registry
        self._cache = cache
        self._alias = alias
        self._confirmed: Champion | None = None

    def cached(self) -> Champion | None:
        """The model that served last, if there is one.

        Raises:
            BundleError: It was damaged, or was made by other code.
            ChampionError: It does not appraise.
        """
        pointer = self._cache.last_good()
        if pointer is None:
            return None
        return _checked(Bundle.load(self._cache.root / pointer.digest, pointer.digest), pointer)

    def champion_version(self) -> int | None:
        """The version to serve, the registry's champion by default; None where no version has that alias yet.

        Raises:
            AwayError: The registry does not answer.
        """
        return self._registry.read(lambda registry: registry.alias(self._alias))

    def is_same(self, version: int, champion: Champion | None) -> bool:
        """Whether a loaded model is this version of this registry.

        A cache can outlive its registry, and the next one counts from 1 again: the run's id tells them apart. It is
        asked for once.

        Raises:
            AwayError: The registry does not answer.
        """
        if champion is None or champion.facts.version != version:
            return False
        if self._confirmed is champion:
            return True
        facts = self._registry.read(lambda registry: registry.version(version))
        if facts.run_id == champion.facts.run_id:
            self._confirmed = champion
        return self._confirmed is champion

    def load(self, version: int) -> Champion:
        """Load a version of the registry, and make it the last good one.

        Raises:
            ModelError: What the registry has is damaged, was made by other code, or cannot be fetched.
            ChampionError: It does not appraise.
        """
        facts = self._registry.read(lambda registry: registry.version(version))
        bundle = self._registry.read(lambda registry: registry.load(version, self._cache.root))
        pointer = Pointer(digest=bundle.digest, facts=facts)
        champion = _checked(bundle, pointer)
        champion.complete()
        self._cache.point_to(pointer)
        self._confirmed = champion
        return champion


def _checked(bundle: Bundle, pointer: Pointer) -> Champion:
    champion = Champion(bundle, pointer.facts)
    champion.check()
    return champion
