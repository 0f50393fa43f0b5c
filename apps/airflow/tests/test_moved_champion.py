"""What a person or an upgrade does between two steps: nothing is decided about models that are no more."""

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pipeline_stand import running_feed, settings_in

from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError, OtherLakeError
from appraiser_pipeline.policy import PromotionPolicy
from appraiser_pipeline.run import Step, call
from appraiser_schema import Alias, AliasMove, Decision, MoveKind, Outcome

# Few test rows: their coverage is left to chance here.
ANY_COVERAGE = PromotionPolicy(least_coverage=0, most_coverage=100)
BEFORE = (Step.FETCH_BATCH, Step.VALIDATE, Step.CLEAN_AND_SPLIT, Step.DECIDE_TRAINING, Step.TRAIN_MODEL, Step.EVALUATE)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stores in which the first batch was evaluated by a dry run, and told to be promoted."""
    folder = tmp_path_factory.mktemp("evaluated") / "stores"
    with (
        running_feed({"APPRAISER_FEED_ROWS": "5000"}) as url,
        closing(Context(settings_in(folder, url, dry_run=True, promotion_policy=ANY_COVERAGE))) as context,
    ):
        folder.mkdir()
        for step in (*BEFORE, Step.DECIDE_PROMOTION):
            call(step, context, 0)
    return folder


@pytest.fixture
def context(evaluated: Path, tmp_path: Path) -> Iterator[Context]:
    """A pipeline over these stores with a ledger of its own and without a champion; nothing stays behind."""
    shutil.copy(evaluated / "ledger.db", tmp_path)
    own = {"ledger_url": f"sqlite:///{tmp_path / 'ledger.db'}"}
    settings = settings_in(evaluated, promotion_policy=ANY_COVERAGE).model_copy(update=own)
    with closing(Context(settings)) as context:
        registry, client = context.registry, context.registry._client
        before = {
            version.version: version.tags for version in client.search_model_versions(f"name = '{registry.name}'")
        }
        yield context
        if registry.champion() is not None:
            client.delete_registered_model_alias(registry.name, Alias.CHAMPION.value)
        for version in client.search_model_versions(f"name = '{registry.name}'"):
            if version.version not in before:
                client.delete_model_version(registry.name, version.version)
            for tag, value in before.get(version.version, {}).items():
                client.set_model_version_tag(registry.name, version.version, tag, value)


def promote_by_hand(context: Context, version: int) -> None:
    """As `models promote` does."""
    move = context.registry.move(Alias.CHAMPION, version, kind=MoveKind.MANUAL, who="I", why="It is good.")
    context.ledger.record_move(move)


class TestMoved:
    """A person moves the champion after the evaluation."""

    def test_told_then_promoted(self, context: Context) -> None:
        """What a dry run told and a person did is not undone: the version stays, and nothing more is recorded."""
        version = context.registry.version_of_batch(0)
        assert version is not None
        promote_by_hand(context, version)
        decision: Decision = call(Step.DECIDE_PROMOTION, context, 0)
        assert (decision.outcome, decision.champion_version, decision.dry_run) == (Outcome.PROMOTE, version, False)
        call(Step.PROMOTE, context, 0)
        assert [(move.kind, move.to_version) for move in context.ledger.moves()] == [(MoveKind.MANUAL, version)]

    def test_moved_without_record(self, context: Context) -> None:
        """An alias that was moved in MLflow itself gets its record."""
        version = context.registry.version_of_batch(0)
        assert version is not None
        context.registry.move(Alias.CHAMPION, version, kind=MoveKind.MANUAL, who="I", why="In MLflow.")
        call(Step.DECIDE_PROMOTION, context, 0)
        call(Step.PROMOTE, context, 0)
        assert [(move.from_version, move.to_version) for move in context.ledger.moves()] == [(None, version)]

    def test_other_champion(self, context: Context) -> None:
        """The challenger is held against the champion of now, not against none as in the evaluation that was made."""
        version = context.registry.register(context.registry.load(1))
        other = context.registry.register(context.registry.load(1))
        promote_by_hand(context, version)
        decision: Decision = call(Step.DECIDE_PROMOTION, context, 0)
        assert (decision.model_version, decision.champion_version, decision.outcome) == (other, version, Outcome.REJECT)

    def test_rolled_back(self, context: Context) -> None:
        """After a kill between alias and record, a person's rollback is not undone by the step that runs again."""
        decision: Decision = call(Step.DECIDE_PROMOTION, context, 0)
        assert decision.outcome is Outcome.PROMOTE
        later = decision.decided_at + dt.timedelta(seconds=1)
        found = AliasMove(
            at=later,
            kind=MoveKind.MANUAL,
            alias=Alias.CHAMPION,
            from_version=None,
            to_version=decision.model_version or 0,
            who="unknown",
            why="?",
        )
        context.ledger.record_move(found)
        assert call(Step.PROMOTE, context, 0) == found
        assert context.registry.champion() is None


class TestForeignVersion:
    """The registry has a version under the batch's number that is not the batch's own."""

    @pytest.mark.parametrize("tag", ["snapshot_id", "features_fingerprint"])
    def test_trained_again(self, context: Context, tag: str) -> None:
        """One from another lake, or by other feature code, is not taken: a new one is trained and evaluated."""
        foreign = context.registry.version_of_batch(0)
        value = "7" if tag == "snapshot_id" else "of before"
        context.registry._client.set_model_version_tag(context.registry.name, str(foreign), tag, value)
        trained = call(Step.TRAIN_MODEL, context, 0)
        assert trained != foreign
        assert call(Step.TRAIN_MODEL, context, 0) == trained
        assert call(Step.EVALUATE, context, 0).challenger_version == trained
        assert call(Step.DECIDE_PROMOTION, context, 0).model_version == trained

    def test_other_format(self, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
        """One whose files are of an older format is refused by `evaluate` in a sentence, and trained again."""
        foreign = call(Step.TRAIN_MODEL, context, 0)
        monkeypatch.setattr("appraiser_model.bundle.FORMAT", "appraiser-bundle-99")
        context.ledger.save_evaluation(context.ledger.evaluation(0).model_copy(update={"challenger_version": 999}))
        with pytest.raises(OrderError, match=r"no model that this code can use to work on\. Run the step train_model"):
            call(Step.EVALUATE, context, 0)
        trained = call(Step.TRAIN_MODEL, context, 0)
        assert trained != foreign
        assert call(Step.EVALUATE, context, 0).challenger_version == trained


class TestOtherLake:
    """A ledger beside a new lake."""

    def test_refused(self, context: Context, feed: str, tmp_path: Path) -> None:
        """The next batch is not asked for, and it is said that lake and ledger belong together."""
        settings = context.settings.model_copy(update={"lake": tmp_path / "new", "feed_url": feed})
        with closing(Context(settings)) as other:
            fetches = other.ledger.fetches()
            with pytest.raises(OtherLakeError, match="a new lake and a new ledger"):
                call(Step.FETCH_BATCH, other)
            assert other.ledger.fetches() == fetches
