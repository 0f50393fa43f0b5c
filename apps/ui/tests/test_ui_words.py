"""What the page says about batches and versions, in words."""

import datetime as dt
from typing import Any

import pytest

from appraiser_schema import Batch, BatchStatus, Decision, ModelVersion
from appraiser_ui.appraise.progress import progress
from appraiser_ui.models.metrics import METRICS
from appraiser_ui.models.timeline import timeline
from appraiser_ui.models.verdicts import Verdict, verdict, why

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def batch(number: int = 0, **fields: Any) -> Batch:
    """A batch that has just arrived."""
    known = {"source": "houses.csv", "group_number": 1, "day": None, "digest": "d", "size_bytes": 1}
    known |= {"received_at": NOW, "simulated": False, "landing_path": "d.json", "batch_number": number}
    return Batch.model_validate(known | fields)


def decide(kind: str, outcome: str, **fields: Any) -> Decision:
    """A decision about batch 0."""
    known = {"batch_number": 0, "kind": kind, "outcome": outcome, "summary": "It is better.", "reasons": ()}
    return Decision.model_validate(known | {"decided_at": NOW} | fields)


def version(number: int, **fields: Any) -> ModelVersion:
    """A version without aliases or a decision."""
    known = {"version": number, "aliases": (), "created_at": NOW, "run_id": "r", "batches": (0,), "rows_train": 9}
    known |= {"simulated_data": False, "snapshot_id": 1, "code_version": "c", "features_fingerprint": "f"}
    return ModelVersion.model_validate(known | {"metrics": {"mdape": 10.0}} | fields)


TRAIN = decide("training", "train")
PROMOTE = decide("promotion", "promote", model_version=1)
REJECT = decide("promotion", "reject", model_version=1, summary="It is worse.")


class TestProgress:
    """What the system does until a model is in service."""

    def test_nothing_yet(self) -> None:
        """Before the first batch that is what it says."""
        assert progress([], []) == "The first batch of listings has not arrived yet."

    @pytest.mark.parametrize(
        ("status", "decisions", "said"),
        [
            (BatchStatus.LANDED, [], "being checked"),
            (BatchStatus.VALIDATED, [], "cleaned and split"),
            (BatchStatus.CLEANED, [], "decided whether to train"),
            (BatchStatus.CLEANED, [TRAIN], "being trained on 700 listings"),
            (BatchStatus.CLEANED, [decide("training", "skip", summary="Too few rows.")], "Too few rows."),
            (BatchStatus.CLEANED, [TRAIN, PROMOTE], "going into service"),
            (BatchStatus.CLEANED, [TRAIN, REJECT], "rejected. It is worse."),
        ],
    )
    def test_where_the_batch_is(self, status: BatchStatus, decisions: list[Decision], said: str) -> None:
        """The step that the newest batch is at is named."""
        assert said in progress([batch(status=status, rows_received=1000, rows_train=700, rows_test=150)], decisions)

    def test_stopped(self) -> None:
        """A batch that was stopped says why."""
        assert "Too many bad rows." in progress([batch(status="stopped", stop_reason="Too many bad rows.")], [])

    def test_decisions_of_other_batches_do_not_count(self) -> None:
        """Only what was decided about the newest batch is told."""
        assert "decided whether to train" in progress([batch(1, status="cleaned"), batch(0)], [TRAIN, PROMOTE])


class TestVerdict:
    """What became of a version."""

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({}, Verdict.OPEN),
            ({"decision": PROMOTE}, Verdict.REPLACED),
            ({"decision": REJECT}, Verdict.REJECTED),
            ({"decision": PROMOTE, "aliases": ("champion",)}, Verdict.IN_SERVICE),
            ({"decision": REJECT, "aliases": ("champion",)}, Verdict.IN_SERVICE),
            ({"decision": REJECT, "aliases": ("challenger",)}, Verdict.REJECTED),
            ({"decision": REJECT, "served": True}, Verdict.OVERRULED),
            ({"decision": REJECT, "served": True, "aliases": ("champion",)}, Verdict.IN_SERVICE),
        ],
    )
    def test_verdict(self, fields: dict[str, Any], expected: Verdict) -> None:
        """The alias counts more than the decision, since a person may have moved it."""
        assert verdict(version(1, **fields)) is expected

    def test_why(self) -> None:
        """The reason is the decision's own."""
        assert why(version(1, decision=REJECT)) == "It is worse."


class TestTimeline:
    """A figure from version to version."""

    def test_oldest_first_and_only_versions_that_have_the_figure(self) -> None:
        """A version without the figure leaves no point."""
        metric = next(metric for metric in METRICS if metric.name == "mdape")
        chart = timeline([version(3), version(2, metrics={}), version(1)], metric).to_dict()
        rows = next(iter(chart["datasets"].values()))
        assert [row["version"] for row in rows] == [1, 3]
