"""Batches through every step in one process, and again."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pipeline_stand import running_feed, settings_in

from appraiser_pipeline.context import Context
from appraiser_pipeline.policy import PromotionPolicy
from appraiser_pipeline.run import Step, run_batch
from appraiser_schema import Alias, DecisionKind, Outcome
from appraiser_store import Table

SMALL = {"APPRAISER_FEED_ROWS": "3000"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stores over which all batches of a small simulated source have run."""
    folder = tmp_path_factory.mktemp("run")
    with running_feed(SMALL) as url, closing(Context(settings_in(folder, url))) as context:
        while list(run_batch(context))[-1].batch_number is not None:
            pass
    return folder


@pytest.fixture
def context(finished: Path) -> Iterator[Context]:
    """A pipeline over the finished stores."""
    with closing(Context(settings_in(finished))) as context:
        yield context


class TestRun:
    """What six batches leave behind."""

    def test_batches(self, context: Context) -> None:
        """Six batches, and every row of each is accounted for."""
        batches = context.ledger.batches()
        assert [batch.batch_number for batch in batches] == [0, 1, 2, 3, 4, 5]
        for b in batches:
            parts = (b.rows_quarantined, b.rows_duplicate, b.rows_train, b.rows_validation, b.rows_test)
            assert b.rows_received == sum(part or 0 for part in parts)

    def test_lake(self, context: Context) -> None:
        """The lake holds what the ledger counts, and no row twice."""
        rows = context.lake.read(Table.CLEAN)
        assert rows["row_hash"].n_unique() == rows.height
        kept = {b.batch_number: (b.rows_train or 0) + (b.rows_validation or 0) + (b.rows_test or 0)
                for b in context.ledger.batches()}  # fmt: skip
        assert context.lake.batch_rows(Table.CLEAN) == {number: rows for number, rows in kept.items() if rows}

    def test_decisions(self, context: Context) -> None:
        """Every batch has a training decision, every trained one a promotion decision, each with reasons in words."""
        training = context.ledger.decisions(DecisionKind.TRAINING)
        promotion = context.ledger.decisions(DecisionKind.PROMOTION)
        assert [d.batch_number for d in training] == [0, 1, 2, 3, 4, 5]
        assert [d.batch_number for d in promotion] == [d.batch_number for d in training if d.outcome is Outcome.TRAIN]
        assert all(d.summary and all(reason.text for reason in d.reasons) for d in (*training, *promotion))

    def test_champion(self, context: Context) -> None:
        """The champion is the last model that was promoted; the moves say so as well."""
        promoted = [d for d in context.ledger.decisions(DecisionKind.PROMOTION) if d.outcome is Outcome.PROMOTE]
        assert context.registry.champion() == promoted[-1].model_version
        assert [move.to_version for move in context.ledger.moves(Alias.CHAMPION)] == [d.model_version for d in promoted]

    def test_versions(self, context: Context) -> None:
        """Every version tells its batches, its test metrics and that its data was simulated."""
        for version in context.registry.versions():
            assert version.simulated_data
            assert version.batches == tuple(range(len(version.batches)))
            assert {"rmse", "mae", "r2", "mdape", "ppe10", "cod", "prd", "prb", "coverage"} <= set(version.metrics)

    def test_test_rows(self, context: Context) -> None:
        """Challenger and champion were scored on all test rows up to the batch."""
        test = context.lake.read(Table.CLEAN).filter(split="test")
        for evaluation in context.ledger.evaluations():
            assert evaluation.rows_test == test.filter(test["batch_number"] <= evaluation.batch_number).height

    def test_again(self, finished: Path) -> None:
        """Run again over the same source, nothing is taken twice and nothing is trained."""
        with running_feed(SMALL) as url, closing(Context(settings_in(finished, url))) as context:
            before = (context.ledger.batches(), context.ledger.decisions(), context.registry.versions())
            runs = list(run_batch(context))
            assert [(run.step, run.summary) for run in runs] == [(Step.FETCH_BATCH, "The source has no further batch.")]
            assert (context.ledger.batches(), context.ledger.decisions(), context.registry.versions()) == before


class TestOtherCode:
    """A champion that another version of the code made."""

    def test_replaced(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It can be used no more, which is a reason to train and none to stop: the next model takes its place."""
        # Few test rows: their coverage is left to chance here.
        policy = PromotionPolicy(least_coverage=0, most_coverage=100)
        with (
            running_feed({"APPRAISER_FEED_ROWS": "5000"}) as url,
            closing(Context(settings_in(tmp_path, url, promotion_policy=policy))) as context,
        ):
            list(run_batch(context))
            for module in ("appraiser_features", "appraiser_features.encoder", "appraiser_model.card"):
                monkeypatch.setattr(f"{module}.CODE_FINGERPRINT", "0" * 64)
            steps = [run.step for run in run_batch(context)]
            training = context.ledger.decision(1, DecisionKind.TRAINING)
            promotion = context.ledger.decision(1, DecisionKind.PROMOTION)
            assert training is not None
            assert "The champion, version 1, cannot be loaded by this code" in training.summary
            assert steps[-1] is Step.PROMOTE
            assert promotion is not None
            assert "no comparison is possible" in promotion.summary
            assert context.registry.champion() == 2

    @pytest.mark.parametrize("card", ["read", "unread"])
    def test_other_format(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, card: str) -> None:
        """So is one whose files are of another format, whether its card can still be read or not."""
        policy = PromotionPolicy(least_coverage=0, most_coverage=100)
        with (
            running_feed({"APPRAISER_FEED_ROWS": "5000"}) as url,
            closing(Context(settings_in(tmp_path, url, promotion_policy=policy))) as context,
        ):
            list(run_batch(context))
            monkeypatch.setattr("appraiser_model.bundle.FORMAT", "appraiser-bundle-99")
            if card == "unread":
                context.registry._client.set_model_version_tag("house-price", "1", "card", "{}")
            list(run_batch(context))
            training = context.ledger.decision(1, DecisionKind.TRAINING)
            assert training is not None
            assert "The champion, version 1, cannot be loaded by this code" in training.summary
            assert context.registry.champion() == 2


class TestDamaged:
    """Files of a version that are not what was registered."""

    def test_champion(self, tmp_path: Path) -> None:
        """A champion whose files are damaged is one that there is nothing to compare with; both decisions say so."""
        policy = PromotionPolicy(least_coverage=0, most_coverage=100)
        with (
            running_feed({"APPRAISER_FEED_ROWS": "5000"}) as url,
            closing(Context(settings_in(tmp_path, url, promotion_policy=policy))) as context,
        ):
            list(run_batch(context))
            file = next(path for path in tmp_path.rglob("model.ubj"))
            file.write_bytes(file.read_bytes()[:-1])
            list(run_batch(context))
            training, promotion = (context.ledger.decision(1, kind) for kind in DecisionKind)
            assert training is not None
            assert "cannot be loaded by this code: the digest of 'model.ubj' is" in training.summary
            assert promotion is not None
            assert "version 1, cannot be loaded by this code, so that no comparison is possible" in promotion.summary
            assert context.registry.champion() == 2
