"""What became of a version, in words, and the figures of the rules."""

import datetime as dt

import pytest

from appraiser_schema import Decision, DecisionKind, ModelVersion, Outcome
from appraiser_ui.decisions import figure_of
from appraiser_ui.models.verdicts import Verdict, verdict

AT = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def a_model(outcome: Outcome, *, dry_run: bool) -> ModelVersion:
    """A version without an alias, about which something was decided."""
    decision = Decision(
        batch_number=1, kind=DecisionKind.PROMOTION, outcome=outcome, summary="Why.", reasons=(), decided_at=AT,
        model_version=2, dry_run=dry_run,
    )  # fmt: skip
    return ModelVersion(
        version=2, aliases=(), created_at=AT, run_id="r", batches=(0, 1), rows_train=9, simulated_data=False,
        snapshot_id=1, code_version="c", features_fingerprint="f", metrics={}, decision=decision,
    )  # fmt: skip


class TestDryRun:
    """A decision that was only told."""

    @pytest.mark.parametrize("outcome", [Outcome.PROMOTE, Outcome.REJECT])
    def test_told(self, outcome: Outcome) -> None:
        """The version was neither promoted nor rejected."""
        assert verdict(a_model(outcome, dry_run=True)) is Verdict.TRIED
        assert verdict(a_model(outcome, dry_run=False)) is not Verdict.TRIED


class TestFigures:
    """Figures of rules carry their unit."""

    @pytest.mark.parametrize(
        ("value", "rule", "text"),
        [
            (7.1, "engines_agree", "7.1\N{NO-BREAK SPACE}ppm"),
            (-3.0, "mae", "\N{MINUS SIGN}3\N{NO-BREAK SPACE}%"),
            (-49.751, "mae", "\N{MINUS SIGN}49.8\N{NO-BREAK SPACE}%"),
            (0.25, "target_drift", "0.25"),
        ],
    )
    def test_unit(self, value: float, rule: str, text: str) -> None:
        """Millionths of a price, percent, or nothing."""
        assert figure_of(value, rule) == text
