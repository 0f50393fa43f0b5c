"""The rules of Prometheus as they stand in their files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

RULES: Final = Path("gitops/platform/monitoring/rules")
"""Below the root of the repository."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        file: Where it stands, below the root.
        name: Of the alert, or of the series that is recorded.
        is_alert: Whether it is an alert.
        expression: PromQL.
        labels: What it is labelled with.
        annotations: What is told of it.
    """

    file: Path
    name: str
    is_alert: bool
    expression: str
    labels: dict[str, str]
    annotations: dict[str, str]


def read_rules(root: Path) -> list[Rule]:
    """Every rule, in the order of files and groups.

    Args:
        root: Root of the repository.
    """
    return [rule for path in sorted((root / RULES).glob("*.rules.yaml")) for rule in _rules_of(path, root)]


def _rules_of(path: Path, root: Path) -> Iterator[Rule]:
    for group in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["groups"]:
        for rule in group["rules"]:
            yield Rule(
                file=path.relative_to(root),
                name=rule.get("alert") or rule["record"],
                is_alert="alert" in rule,
                expression=rule["expr"],
                labels=rule.get("labels", {}),
                annotations=rule.get("annotations", {}),
            )
