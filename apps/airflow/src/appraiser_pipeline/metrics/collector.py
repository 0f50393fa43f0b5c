"""The pipeline's figures, read from the ledger whenever they are asked for.

The steps are short processes that nobody could scrape, but each leaves what it did in the ledger: read there, the
figures are the same whoever ran the step, and after any restart.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from appraiser_pipeline.metrics.batches import of_batches, of_ends, of_fetches
from appraiser_pipeline.metrics.champion import of_champion, of_last_evaluation
from appraiser_pipeline.metrics.decisions import of_decisions
from appraiser_pipeline.metrics.volume import of_volume
from appraiser_store import Ledger

log = structlog.get_logger()


class PipelineMetrics(Collector):
    """What the ledger and the disk tell of one pipeline.

    Args:
        open_ledger: Opens the ledger; called at each question until it succeeds.
        lake: Folder of the lake; its disk is told of where the folder is on this machine.
    """

    def __init__(self, open_ledger: Callable[[], Ledger], lake: Path) -> None:
        self._open_ledger = open_ledger
        self._ledger: Ledger | None = None
        self._lake = lake

    def collect(self) -> Iterator[Metric]:
        """All figures; of a ledger that does not answer only that it does not."""
        try:
            figures = self._read()
        except Exception as error:  # noqa: BLE001 - whatever keeps the ledger from answering is told and logged
            log.warning("ledger_away", error=f"{type(error).__name__}: {error}")
            figures = []
        yield GaugeMetricFamily("appraiser_ledger_up", "1 where the ledger answered just now.", value=bool(figures))
        yield from figures
        yield from of_volume(self._lake, "lake")

    def _read(self) -> list[Metric]:
        if self._ledger is None:
            self._ledger = self._open_ledger()
        ledger = self._ledger
        batches, decisions, moves = ledger.batches(), ledger.decisions(), ledger.moves()
        evaluations = ledger.evaluations()
        return [
            *of_batches(batches),
            *of_ends(batches, decisions, moves),
            *of_fetches(ledger.fetches()),
            *of_decisions(decisions),
            *of_champion(moves, evaluations),
            *of_last_evaluation(evaluations),
        ]
