"""Which metrics there are: those that services tell when they are asked, and those of programs that are not ours."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from appraiser_cli.monitoring.queries import Exported

THIRD_PARTY: Final = Path("gitops/platform/monitoring/third-party.yaml")
"""Below the root of the repository."""


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """A program that is not ours, as of one version.

    Attributes:
        name: Which.
        version: Whose metrics these are.
        source: Where they were seen.
        metrics: Those that queries of ours name, with their labels.
    """

    name: str
    version: str
    source: str
    metrics: Exported


def third_parties(root: Path) -> tuple[ThirdParty, ...]:
    """What the committed list says.

    Args:
        root: Root of the repository.
    """
    listed = yaml.safe_load((root / THIRD_PARTY).read_text(encoding="utf-8"))
    return tuple(
        ThirdParty(
            name,
            str(entry["version"]),
            entry["source"],
            {metric: frozenset(labels) for metric, labels in entry["metrics"].items()},
        )
        for name, entry in listed.items()
    )


def scraped(text: str) -> dict[str, frozenset[str]]:
    """The metrics of a scrape by the names that Prometheus stores, with every label that a sample of theirs has."""
    # Only here: the command line does without.
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415

    found: defaultdict[str, set[str]] = defaultdict(set)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name].update(sample.labels)
    return {name: frozenset(labels) for name, labels in found.items()}
