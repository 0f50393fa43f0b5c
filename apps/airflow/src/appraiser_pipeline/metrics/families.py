"""Metrics with one figure, or with one per label."""

from collections.abc import Iterable, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

PREFIX = "appraiser_pipeline_"


def gauge(name: str, text: str, value: float) -> Metric:
    """One figure."""
    return GaugeMetricFamily(PREFIX + name, text, value=value)


def labelled(name: str, text: str, labels: Sequence[str], samples: Iterable[tuple[Sequence[str], float]]) -> Metric:
    """One figure per combination of the labels' values."""
    family = GaugeMetricFamily(PREFIX + name, text, labels=labels)
    for values, figure in samples:
        family.add_metric(values, figure)
    return family
