"""What Prometheus is told of the pipeline, out of the ledger."""

import datetime as dt
import socket
from pathlib import Path

import pytest
from pipeline_stand import Land, rows
from prometheus_client import CollectorRegistry

from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import AddressError
from appraiser_pipeline.metrics import PipelineMetrics, serve_metrics
from appraiser_schema import (
    Alias,
    AliasMove,
    BatchStatus,
    Decision,
    DecisionKind,
    Evaluation,
    Fetch,
    FetchOutcome,
    MoveKind,
    Outcome,
    Reason,
    utc_now,
)
from appraiser_store import Ledger

AT = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def told(context: Context, tmp_path: Path) -> CollectorRegistry:
    """The metrics over the ledger of the test."""
    registry = CollectorRegistry()
    registry.register(PipelineMetrics(lambda: Ledger(context.settings.ledger_url), tmp_path))
    return registry


def figure(told: CollectorRegistry, name: str, **labels: str) -> float | None:
    """A figure; None where it is not told."""
    prefix = "" if name.startswith(("ledger", "volume")) else "pipeline_"
    return told.get_sample_value(f"appraiser_{prefix}{name}", labels)


def decided(number: int, kind: DecisionKind, outcome: Outcome, *reasons: Reason, dry_run: bool = False) -> Decision:
    """A decision about a batch; a promotion is of the version after its number."""
    return Decision(
        batch_number=number,
        kind=kind,
        outcome=outcome,
        summary="Made.",
        reasons=reasons,
        decided_at=AT,
        model_version=number + 1 if kind is DecisionKind.PROMOTION else None,
        dry_run=dry_run,
    )


def moved(version: int, kind: MoveKind = MoveKind.PROMOTION) -> AliasMove:
    """A move of the champion."""
    return AliasMove(at=AT, kind=kind, alias=Alias.CHAMPION, from_version=None, to_version=version, who="test", why="")


class TestBatches:
    """What came and how far it got."""

    def test_an_empty_ledger_has_no_last_batch(self, told: CollectorRegistry) -> None:
        """Counts are 0 and nothing is told of a batch that there is not."""
        assert figure(told, "ledger_up") == 1
        assert figure(told, "batches", status="landed") == 0
        assert figure(told, "unfinished_age_seconds") == 0
        assert figure(told, "last_batch_number") is None
        assert figure(told, "champion_version") is None

    def test_counts_rows_and_tells_of_the_newest(self, told: CollectorRegistry, context: Context, land: Land) -> None:
        """Rows are of all batches; the share that was refused is the newest one's."""
        for number, refused in ((0, 1), (1, 30)):
            counts = {"rows_received": 100, "rows_quarantined": refused, "status": BatchStatus.CLEANED}
            context.ledger.save_batch(land(number, rows(1)).model_copy(update=counts))
        assert figure(told, "rows", kind="quarantined") == 31
        assert figure(told, "batches", status="cleaned") == 2
        assert figure(told, "last_batch_number") == 1
        assert figure(told, "last_batch_quarantine_ratio") == 0.3
        assert (
            figure(told, "last_batch_received_timestamp_seconds") == dt.datetime(2026, 11, 1, tzinfo=dt.UTC).timestamp()
        )

    def test_a_batch_ends_with_what_was_decided(self, told: CollectorRegistry, context: Context, land: Land) -> None:
        """A training that is skipped is an end; a promotion is one once the alias has moved, and a dry run never."""
        ledger = context.ledger
        for number in range(3):
            land(number, rows(1))
        ledger.save_decision(decided(0, DecisionKind.TRAINING, Outcome.SKIP))
        ledger.save_decision(decided(1, DecisionKind.TRAINING, Outcome.TRAIN))
        ledger.save_decision(decided(1, DecisionKind.PROMOTION, Outcome.PROMOTE))
        ledger.save_decision(decided(2, DecisionKind.TRAINING, Outcome.SKIP, dry_run=True))
        assert figure(told, "unfinished_batches") == 2
        landed = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
        assert figure(told, "unfinished_age_seconds") == pytest.approx((utc_now() - landed).total_seconds(), abs=60)
        ledger.record_move(moved(2))
        assert figure(told, "unfinished_batches") == 1
        assert figure(told, "last_success_timestamp_seconds") == AT.timestamp()
        assert figure(told, "decisions", kind="training", outcome="skip") == 1

    def test_a_stopped_batch_is_not_waited_for(self, told: CollectorRegistry, context: Context, land: Land) -> None:
        """It counts as stopped, and is at its end."""
        context.ledger.save_batch(land(0, rows(1)).model_copy(update={"status": BatchStatus.STOPPED}))
        assert (figure(told, "last_batch_stopped"), figure(told, "unfinished_batches")) == (1, 0)

    def test_the_last_answer_of_the_source_counts(self, told: CollectorRegistry, context: Context) -> None:
        """Exhausted is told until a batch comes again; each question counts by how it ended."""
        for outcome in (FetchOutcome.LOST, FetchOutcome.EXHAUSTED):
            context.ledger.finish_fetch(context.ledger.begin_fetch(AT), Fetch(at=AT, outcome=outcome))
        assert figure(told, "source_exhausted") == 1
        assert figure(told, "fetches", outcome="lost") == 1
        context.ledger.finish_fetch(context.ledger.begin_fetch(AT), Fetch(at=AT, outcome=FetchOutcome.NEW))
        assert figure(told, "source_exhausted") == 0


class TestDecisions:
    """What was decided, and of which model."""

    def test_drift_is_that_of_the_newest_batch(self, told: CollectorRegistry, context: Context, land: Land) -> None:
        """The index and what it was held against, which for a small batch is more than the policy says."""
        for number, index, limit in ((0, 0.9, 0.2), (1, 0.1, 0.35)):
            land(number, rows(1))
            reason = Reason(rule="feature_drift", passed=False, figure=index, threshold=limit, text="Made.")
            context.ledger.save_decision(decided(number, DecisionKind.TRAINING, Outcome.SKIP, reason))
        assert figure(told, "drift_psi", rule="feature_drift") == 0.1
        assert figure(told, "drift_limit_psi", rule="feature_drift") == 0.35

    def test_the_champion_has_the_figures_of_its_newest_evaluation(
        self, told: CollectorRegistry, context: Context, land: Land
    ) -> None:
        """As a challenger at first, later as the champion that others were held against; not what was infinite."""
        for number, challenger, champion in ((0, 1, None), (1, 2, 1)):
            land(number, rows(1))
            context.ledger.save_evaluation(
                Evaluation(
                    batch_number=number,
                    snapshot_id=1,
                    evaluated_at=AT,
                    rows_test=10,
                    challenger_version=challenger,
                    champion_version=champion,
                    challenger={"mdape": 15.0, "coverage": 91.0, "mae": float("inf")},
                    champion={"mdape": 17.0, "coverage": 88.0} if champion else None,
                )
            )
        context.ledger.record_move(moved(1))
        assert figure(told, "champion_version") == 1
        assert figure(told, "champion_coverage_percent", model_version="1") == 88
        assert figure(told, "evaluation_mdape_percent", role="challenger", model_version="2") == 15
        assert figure(told, "evaluation_mae_usd", role="challenger", model_version="2") is None


class TestAway:
    """What is told where there is nothing to read."""

    def test_a_ledger_that_does_not_answer(self, tmp_path: Path) -> None:
        """The scrape says so and goes on telling of the disk; once the ledger is back, so are its figures."""
        url = f"sqlite:///{tmp_path / 'later' / 'ledger.db'}"
        (tmp_path / "later").touch()
        told = CollectorRegistry()
        told.register(PipelineMetrics(lambda: Ledger(url), tmp_path))
        assert figure(told, "ledger_up") == 0
        assert figure(told, "batches", status="landed") is None
        free, size = (figure(told, f"volume_{name}_bytes", volume="lake") for name in ("free", "size"))
        assert 0 < (free or 0) < (size or 0)
        (tmp_path / "later").unlink()
        assert figure(told, "ledger_up") == 1

    def test_no_folder_has_no_disk(self, context: Context, tmp_path: Path) -> None:
        """Where the lake is not on this machine, nothing is said of a disk."""
        told = CollectorRegistry()
        told.register(PipelineMetrics(lambda: Ledger(context.settings.ledger_url), tmp_path / "nowhere"))
        assert figure(told, "volume_free_bytes", volume="lake") is None

    def test_a_port_that_is_taken(self, context: Context) -> None:
        """The error names the port, and the variable to change."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(AddressError, match=rf"port {port}: .*APPRAISER_METRICS_PORT"):
                serve_metrics(context.settings, "127.0.0.1", port)
