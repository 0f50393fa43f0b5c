"""How far the houses that are asked about have moved from those that the model learned from."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from appraiser_api.champion import Champion
from appraiser_api.holder import Holder
from appraiser_api.workers import Workers
from appraiser_schema import Listing

WINDOW: Final = 2_000
"""Listings of each worker that count, the latest: chance alone then gives an index of about 0.005."""

LEAST: Final = 200
"""Listings below which nothing is told: chance alone gives an index above 0.05."""


@dataclass(slots=True)
class LiveInputs:
    """The latest listings of this worker that were appraised one by one. Taking one note of costs a tenth of a µs."""

    latest: deque[Listing] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _counted: int = 0
    _of: Champion | None = None
    _counts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    _seen: int = 0

    def note(self, listing: Listing) -> None:
        """Take note of a listing that was appraised."""
        self.latest.append(listing)
        self._seen += 1

    def counts(self, champion: Champion) -> Mapping[str, tuple[int, ...]]:
        """The listings by field and bin, as the model has the bins; counted again once a tenth of them are new."""
        inputs = champion.bundle.card.inputs
        if inputs is None:
            return {}
        if champion is not self._of or self._seen - self._counted >= max(1, len(self.latest) // 10):
            self._counts = inputs.count(tuple(self.latest))
            self._of, self._counted = champion, self._seen
        return self._counts


class DriftCollector(Collector):
    """Tells the drift over the listings of all workers, whenever the metrics are asked for."""

    def __init__(self, holder: Holder, workers: Workers) -> None:
        self._holder = holder
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        """Sum up what the workers told of their latest listings, and hold it against the training listings."""
        states = self._workers.states()
        serving = GaugeMetricFamily(
            "appraiser_workers", "Workers by the version that they serve; 0 is none.", labels=("model_version",)
        )
        versions = Counter(0 if state.model is None else state.model.version for state in states)
        for version, workers in sorted(versions.items()):
            serving.add_metric((str(version),), workers)
        yield serving
        counts = _sum(state.inputs for state in states)
        listings = max(map(sum, counts.values()), default=0)
        yield GaugeMetricFamily("appraiser_live_listings", "Latest listings that the drift is told of.", value=listings)
        yield self._drift(counts, listings)

    def _drift(self, counts: Mapping[str, tuple[int, ...]], listings: int) -> Metric:
        drift = GaugeMetricFamily(
            "appraiser_live_drift_psi",
            "Population stability index of the latest listings against the training listings, by field.",
            labels=("field",),
        )
        champion = self._holder.current
        inputs = None if champion is None else champion.bundle.card.inputs
        if inputs is not None and listings >= LEAST:
            for name, index in inputs.drift(counts).items():
                drift.add_metric((name,), index)
        return drift


def _sum(counts: Iterable[Mapping[str, tuple[int, ...]]]) -> dict[str, tuple[int, ...]]:
    total: dict[str, tuple[int, ...]] = {}
    for each in counts:
        for name, bins in each.items():
            before = total.get(name, (0,) * len(bins))
            # Workers that serve different versions for a moment count by different bins.
            if len(before) == len(bins):
                total[name] = tuple(a + b for a, b in zip(before, bins, strict=True))
    return total
