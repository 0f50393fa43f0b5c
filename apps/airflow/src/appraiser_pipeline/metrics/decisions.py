"""What was decided, and how far the newest batch has moved."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client.metrics_core import Metric

from appraiser_pipeline.metrics.families import labelled
from appraiser_schema import Decision, DecisionKind, Outcome

DRIFT_RULES: Final = ("target_drift", "feature_drift")
_OUTCOMES: Final = {
    DecisionKind.TRAINING: (Outcome.TRAIN, Outcome.SKIP),
    DecisionKind.PROMOTION: (Outcome.PROMOTE, Outcome.REJECT),
}


def of_decisions(decisions: Sequence[Decision]) -> Iterator[Metric]:
    """Decisions by how they went, and the drift that the newest one about training saw.

    Args:
        decisions: By batch number.
    """
    counted = Counter((d.kind, d.outcome) for d in decisions if not d.dry_run)
    pairs = ((kind, outcome) for kind, outcomes in _OUTCOMES.items() for outcome in outcomes)
    samples = (((kind.value, outcome.value), counted[kind, outcome]) for kind, outcome in pairs)
    text = "Decisions by how they went; those of dry runs are left out."
    yield labelled("decisions", text, ("kind", "outcome"), samples)
    newest = next((d for d in reversed(decisions) if d.kind is DecisionKind.TRAINING), None)
    if newest is not None:
        yield from _drift_of(newest)


def _drift_of(decision: Decision) -> Iterator[Metric]:
    seen = [r for r in decision.reasons if r.rule in DRIFT_RULES]
    yield labelled(
        "drift_psi",
        "Population stability index of the newest batch against the champion's training rows: target_drift is the "
        "price's, feature_drift that of the feature that moved most.",
        ("rule",),
        (((r.rule,), r.figure) for r in seen if r.figure is not None),
    )
    yield labelled(
        "drift_limit_psi",
        "What the index is held against: the policy's limit, or more where chance alone would exceed it.",
        ("rule",),
        (((r.rule,), r.threshold) for r in seen if r.threshold is not None),
    )
