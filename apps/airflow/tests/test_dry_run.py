"""A dry run tells what would be decided and moves nothing; a run that is none decides for good."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pipeline_stand import Land, rows, running_feed, settings_in
from structlog.testing import capture_logs

from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError
from appraiser_pipeline.policy import PromotionPolicy
from appraiser_pipeline.run import Step, call, run_batch
from appraiser_pipeline.steps.fetch_batch import _is_unfinished
from appraiser_schema import Alias, Decision, DecisionKind, Outcome, utc_now

# Few test rows: their coverage is left to chance here.
ANY_COVERAGE = PromotionPolicy(least_coverage=0, most_coverage=100)


@pytest.fixture(scope="module")
def feed_url() -> Iterator[str]:
    """A feed that is large enough to train on its first batch."""
    with running_feed({"APPRAISER_FEED_ROWS": "5000"}) as url:
        yield url


def pipeline(folder: Path, url: str, *, dry_run: bool) -> closing[Context]:
    """A pipeline over stores in a folder."""
    return closing(Context(settings_in(folder, url, dry_run=dry_run, promotion_policy=ANY_COVERAGE)))


class TestDryRun:
    """Two dry batches, then the second one for good."""

    def test_nothing_moves(self, feed_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Everything is computed and told; then the last batch is decided for good, with the same model."""
        with pipeline(tmp_path, feed_url, dry_run=True) as context:
            with monkeypatch.context() as broken, capture_logs() as logs:
                broken.setattr("appraiser_pipeline.report.write.write_report", lambda *_: 1 / 0)
                first = [done.step for done in run_batch(context)]
            self.assert_report_failed(context, logs)
            second = [done.batch_number for done in run_batch(context)]
            assert first[-1] is Step.DECIDE_PROMOTION
            assert set(second) == {1}
            self.assert_only_told(context)
        with pipeline(tmp_path, feed_url, dry_run=False) as context:
            last = list(run_batch(context))[-1]
            self.assert_decided(context, last.batch_number)

    def assert_report_failed(self, context: Context, logs: list[dict[str, object]]) -> None:
        """A report that fails is an error in the log; the evaluation stands, and once more is enough for the report."""
        assert [log["log_level"] for log in logs if log["event"] == "report_failed"] == ["error"]
        assert context.ledger.evaluation(0) is not None
        assert not context.registry.has_file(1, "report/report.md")
        call(Step.EVALUATE, context, 0)
        assert context.registry.has_file(1, "report/report.md")

    def assert_only_told(self, context: Context) -> None:
        """Four dry decisions in words, two models, and no alias."""
        decisions = context.ledger.decisions()
        assert [decision.dry_run for decision in decisions] == [True] * 4
        assert decisions[1].summary.startswith("Dry run, nothing is moved. Version 1 would be the first champion.")
        assert context.ledger.moves() == []
        assert [context.registry.alias(alias) for alias in Alias] == [None, None]
        with pytest.raises(OrderError):
            call(Step.PROMOTE, context, 0)

    def assert_decided(self, context: Context, batch_number: int | None) -> None:
        """The last batch has real decisions about the model that it had; the one before stays told."""
        assert batch_number == 1
        assert [decision.dry_run for decision in context.ledger.decisions()] == [True, True, False, False]
        promotion = context.ledger.decision(1, DecisionKind.PROMOTION)
        assert promotion is not None
        assert (promotion.outcome, promotion.model_version) == (Outcome.PROMOTE, 2)
        assert context.registry.champion() == 2
        assert [model.version for model in context.registry.versions()] == [2, 1]


class TestUnfinished:
    """Which batch a run takes up again."""

    @pytest.mark.parametrize(
        ("told_dry", "runs_dry", "again"),
        [(True, True, False), (True, False, True), (False, True, False), (False, False, True)],
    )
    def test_decided(self, tmp_path: Path, land: Land, *, told_dry: bool, runs_dry: bool, again: bool) -> None:
        """A batch whose decision was not carried out is taken up by a real run; a dry one never moves it on."""
        batch = land(0, rows(1))
        with closing(Context(settings_in(tmp_path, dry_run=runs_dry))) as context:
            for kind, outcome in ((DecisionKind.TRAINING, Outcome.TRAIN), (DecisionKind.PROMOTION, Outcome.PROMOTE)):
                decision = Decision(
                    batch_number=0, kind=kind, outcome=outcome, summary="Why.", reasons=(), decided_at=utc_now(),
                    model_version=1, dry_run=told_dry,
                )  # fmt: skip
                context.ledger.save_decision(decision)
            assert _is_unfinished(context, batch) is again
