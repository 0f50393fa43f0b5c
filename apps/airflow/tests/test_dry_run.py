"""A dry run tells what would be decided and moves nothing; a run that is none decides for good."""

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pipeline_stand import Land, rows, running_feed, settings_in
from structlog.testing import capture_logs

from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError
from appraiser_pipeline.policy import PromotionPolicy
from appraiser_pipeline.run import Step, call, run_batch
from appraiser_pipeline.standing import carrying_out
from appraiser_pipeline.steps.fetch_batch import _first_unfinished
from appraiser_schema import Alias, AliasMove, BatchStatus, Decision, DecisionKind, MoveKind, Outcome, utc_now

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
    """Two dry batches, then both for good."""

    def test_nothing_moves(self, feed_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Everything is computed and told; then each batch is decided for good, the oldest first, with its model."""
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
            assert [list(run_batch(context))[-1].batch_number for _ in range(2)] == [0, 1]
            self.assert_decided(context)

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

    def assert_decided(self, context: Context) -> None:
        """Both have real decisions about training, and the first became the champion with the model that it had."""
        trained = context.ledger.decisions(DecisionKind.TRAINING)
        assert [decision.dry_run for decision in trained] == [False] * 2
        promotion = context.ledger.decision(0, DecisionKind.PROMOTION)
        assert promotion is not None
        assert (promotion.dry_run, promotion.outcome, promotion.model_version) == (False, Outcome.PROMOTE, 1)
        assert context.ledger.moves(Alias.CHAMPION)[0].to_version == 1
        assert context.registry.version_of_batch(0) == 1
        assert context.registry.version_of_batch(1) == 2


class TestUnfinished:
    """Which batch a run takes up again."""

    @pytest.mark.parametrize(
        ("told_dry", "runs_dry", "again"),
        [(True, True, False), (True, False, True), (False, True, False), (False, False, True)],
    )
    def test_decided(self, tmp_path: Path, land: Land, *, told_dry: bool, runs_dry: bool, again: bool) -> None:
        """A batch whose decision was not carried out is taken up by a real run; a dry one never moves it on."""
        land(0, rows(1))
        with closing(Context(settings_in(tmp_path, dry_run=runs_dry))) as context:
            decide(context, 0, dry_run=told_dry)
            assert _first_unfinished(context) == (0 if again else None)

    def test_skipped_later(self, tmp_path: Path, land: Land) -> None:
        """A batch that a dry run would have trained for is taken up, though the dry one after it called for nothing."""
        land(0, rows(1))
        land(1, rows(1))
        with closing(Context(settings_in(tmp_path))) as context:
            decide(context, 0, dry_run=True)
            clean(context, 1)
            context.ledger.save_decision(decision_of(1, DecisionKind.TRAINING, Outcome.SKIP, dry_run=True))
            assert _first_unfinished(context) == 0
            context.ledger.save_decision(decision_of(0, DecisionKind.TRAINING, Outcome.SKIP))
            assert _first_unfinished(context) == 1

    def test_interrupted_earlier(self, tmp_path: Path, land: Land) -> None:
        """A batch that was decided for good and not carried out is taken up, though another batch came after it."""
        land(0, rows(1))
        land(1, rows(1))
        with closing(Context(settings_in(tmp_path))) as context:
            decide(context, 0)
            context.ledger.save_decision(decision_of(1, DecisionKind.TRAINING, Outcome.SKIP))
            assert _first_unfinished(context) == 0


class TestCarriedOut:
    """Which move carried a decision out: the run that goes on and the step that moves have one idea of it."""

    NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)

    def move(self, minutes: int, kind: MoveKind = MoveKind.MANUAL) -> AliasMove:
        """The champion became version 2 so many minutes after noon."""
        at = self.NOON + dt.timedelta(minutes=minutes)
        return AliasMove(at=at, kind=kind, alias=Alias.CHAMPION, from_version=1, to_version=2, who="I", why="Because.")

    def decision(self, **changed: Any) -> Decision:
        """To promote version 2 over version 1, at noon."""
        made = decision_of(0, DecisionKind.PROMOTION, Outcome.PROMOTE)
        facts = {"model_version": 2, "champion_version": 1, "decided_at": self.NOON}
        return made.model_copy(update=facts | changed)

    def test_by_hand_afterwards(self) -> None:
        """A move that a person recorded after the decision counts: they may have moved back since."""
        assert carrying_out(self.decision(), [self.move(1)]) == self.move(1)

    def test_before(self) -> None:
        """A move of long before does not, though it was to this version."""
        assert carrying_out(self.decision(), [self.move(-1, MoveKind.PROMOTION)]) is None

    def test_was_champion(self) -> None:
        """It does where the version was the champion when it was decided on."""
        assert carrying_out(self.decision(champion_version=2), [self.move(-1)]) == self.move(-1)

    def test_rejected(self) -> None:
        """A champion's move carries out no rejection."""
        assert carrying_out(self.decision(outcome=Outcome.REJECT), [self.move(1)]) is None


def clean(context: Context, batch_number: int) -> None:
    """Say that a batch was cleaned: one that was not is taken up whatever was decided."""
    batch = context.batch(batch_number, "decide_training")
    context.ledger.save_batch(batch.model_copy(update={"status": BatchStatus.CLEANED}))


def decide(context: Context, batch_number: int, *, dry_run: bool = False) -> None:
    """Decide to train for a batch that was cleaned, and to promote its model."""
    clean(context, batch_number)
    for kind, outcome in ((DecisionKind.TRAINING, Outcome.TRAIN), (DecisionKind.PROMOTION, Outcome.PROMOTE)):
        context.ledger.save_decision(decision_of(batch_number, kind, outcome, dry_run=dry_run))


def decision_of(batch_number: int, kind: DecisionKind, outcome: Outcome, *, dry_run: bool = False) -> Decision:
    """A decision about version 1."""
    return Decision(
        batch_number=batch_number, kind=kind, outcome=outcome, summary="Why.", reasons=(), decided_at=utc_now(),
        model_version=1, dry_run=dry_run,
    )  # fmt: skip
