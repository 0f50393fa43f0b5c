"""Which metrics and labels a query of Prometheus names, and whether there are such."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import promql_parser as promql

type Exported = Mapping[str, frozenset[str]]
"""Metrics by their names, as Prometheus stores them, each with its labels."""

OF_PROMETHEUS: Final = frozenset({"job", "instance", "track"})
"""Labels that come with the target, whoever exported the series; the track is the cluster's, stable or canary."""

OWN_SERIES: Final[Exported] = {
    "up": frozenset(),
    "ALERTS": frozenset({"alertname", "alertstate", "severity", "component"}),
}
"""Series that Prometheus makes itself."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A part of a query and what it names.

    Attributes:
        labels: Labels of each metric that its selectors match.
        grouped: Labels that it groups or joins by; each must be on one of the metrics.
    """

    labels: dict[str, frozenset[str]] = field(default_factory=dict)
    grouped: frozenset[str] = frozenset()


def asked(query: str) -> Asked:
    """What a query names.

    Raises:
        ValueError: It is no PromQL; the message says where.
    """
    labels: dict[str, frozenset[str]] = {}
    grouped: set[str] = set()
    for node in _nodes(promql.parse(query)):
        if isinstance(node, promql.VectorSelector):
            name, matched = _selected(node)
            labels[name] = labels.get(name, frozenset()) | matched
        elif isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            grouped.update(node.modifier.labels)
        elif isinstance(node, promql.BinaryExpr) and node.modifier is not None and node.modifier.matching is not None:
            grouped.update(node.modifier.matching.labels)
    return Asked(labels, frozenset(grouped))


def unknown(query: str, exported: Exported) -> list[str]:
    """What a query names and nobody exports, in words; none where all is there."""
    try:
        found = asked(query)
    except ValueError as error:
        return [f"is no PromQL: {error}"]
    known = {**exported, **OWN_SERIES}
    problems = [f"nobody exports {name!r}" for name in found.labels if name not in known]
    there = {name: known[name] | OF_PROMETHEUS for name in found.labels if name in known}
    for name, labels in found.labels.items():
        if name in there:
            problems += [f"{name!r} has no label {label!r}" for label in sorted(labels - there[name])]
    if not problems:
        anywhere = frozenset().union(*there.values()) if there else frozenset()
        problems = [f"none of its metrics has the label {label!r}" for label in sorted(found.grouped - anywhere)]
    return problems


def _selected(selector: promql.VectorSelector) -> tuple[str, frozenset[str]]:
    matchers = [*selector.matchers.matchers, *(m for each in selector.matchers.or_matchers for m in each)]
    name = selector.name or next((m.value for m in matchers if m.name == "__name__"), "")
    return name, frozenset(m.name for m in matchers if m.name != "__name__")


def _nodes(expression: promql.Expr) -> Iterator[promql.Expr]:
    found: list[promql.Expr] = []

    def keep(node: promql.Expr) -> None:
        if isinstance(node, promql.MatrixSelector):
            found.append(node.vector_selector)
        found.append(node)

    promql.walk(expression, keep)
    yield from found
