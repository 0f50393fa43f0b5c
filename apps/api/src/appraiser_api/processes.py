"""How much the processes of the service use together, under the names of Prometheus's clients."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from prometheus_client import ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class ProcessesCollector(Collector):
    """Memory, processor time and open files, summed; of the start the earliest, of limits the least.

    Args:
        pids: Gives the ids of the processes that serve; those that they have started count too.
    """

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        self._pids = pids

    def collect(self) -> Iterator[Metric]:
        """Look at each process now."""
        found: dict[str, list[Metric]] = {}
        for pid in (each for parent in self._pids() for each in (parent, *children(parent))):
            with contextlib.suppress(OSError):
                for metric in ProcessCollector(pid=partial(int, pid), registry=None).collect():
                    found.setdefault(metric.name, []).append(metric)
        yield from (_joined(metrics) for metrics in found.values())


def _joined(metrics: list[Metric]) -> Metric:
    first = metrics[0]
    values = [metric.samples[0].value for metric in metrics]
    least = first.name in {"process_start_time_seconds", "process_max_fds"}
    family = CounterMetricFamily if first.type == "counter" else GaugeMetricFamily
    return family(first.name, first.documentation, value=min(values) if least else sum(values))


def own_process() -> tuple[int, ...]:
    """The id of this process alone."""
    return (os.getpid(),)


def children(pid: int) -> Iterator[int]:
    """The processes that one has started and that live, as far as the system tells."""
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            yield from map(int, thread.read_text(encoding="ascii").split())
