"""How full the disk is that the lake lies on."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric


def of_volume(folder: Path, volume: str) -> Iterator[Metric]:
    """Size and free space of the disk that a folder lies on; nothing where there is no such folder.

    Args:
        folder: The folder.
        volume: Value of the label `volume`.
    """
    try:
        disk = shutil.disk_usage(folder)
    except OSError:
        return
    for name, text, size in (
        ("size", "Size of the disk that a folder of ours lies on. [bytes]", disk.total),
        ("free", "What is free of it. [bytes]", disk.free),
    ):
        family = GaugeMetricFamily(f"appraiser_volume_{name}_bytes", text, labels=("volume",))
        family.add_metric((volume,), size)
        yield family
