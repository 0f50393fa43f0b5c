"""The search of parameters: repeatable, resumable, and never worse than where it started."""

import dataclasses
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from appraiser_model import TrainingConfig, TrainingLog, ValuationModel, train
from appraiser_model.errors import SearchError
from appraiser_model.search import ERROR_PER_TREE, SPACE, Search


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where trials are kept; the folder is made by the search."""
    return tmp_path / "state" / "tuning.db"


class Attempts:
    """Pretends to train: the error is least at a learning rate of .1 and a depth of 6."""

    def __init__(self, model: ValuationModel, die_at: int | None = None) -> None:
        self.model = model
        self.die_at = die_at
        self.seen: list[TrainingConfig] = []

    def __call__(self, config: TrainingConfig) -> ValuationModel:
        """A model whose log says how good the configuration is."""
        self.seen.append(config)
        if len(self.seen) - 1 == self.die_at:
            raise KeyboardInterrupt
        error = 0.3 + abs(config.learning_rate - 0.1) + 0.01 * abs(config.max_depth - 6)
        return dataclasses.replace(self.model, log=TrainingLog(1.0, 1, 1, 1, (error + 1, error, error + 0.1)))


START = TrainingConfig(threads=1)


class TestSearch:
    """What is tried, and what is kept of it."""

    def test_first(self, file: Path, model: ValuationModel) -> None:
        """The first trial is where the search starts from; all others lie within the space, and keep the rest."""
        attempts = Attempts(model)
        list(Search(file, "rows", START).run(attempts, 6))
        assert attempts.seen[0] == START
        assert len({config.model_dump_json() for config in attempts.seen}) == 6
        for config in attempts.seen:
            assert config.model_copy(update={name: getattr(START, name) for name in SPACE}) == START
            assert all(least <= getattr(config, name) <= most for name, (least, most, _) in SPACE.items())

    def test_score(self, file: Path, model: ValuationModel) -> None:
        """A trial keeps the least error of its curve; the score adds what its trees cost."""
        (trial,) = Search(file, "rows", START).run(Attempts(model), 1)
        assert trial.error_log == pytest.approx(0.3 + 0.02 + 0.01)
        assert trial.score == trial.error_log * (1 + ERROR_PER_TREE * model.rounds)
        assert (trial.trees, trial.seconds) == (model.rounds, 1.0)
        assert trial.parameters == {name: getattr(START, name) for name in SPACE}

    def test_best(self, file: Path, model: ValuationModel) -> None:
        """The best is the trial with the least score, and better than the start where there is something better."""
        search = Search(file, "rows", START)
        assert search.best == START
        assert search.best_trial is None
        trials = list(search.run(Attempts(model), 25))
        best = min(trials, key=lambda trial: trial.score)
        assert search.best_trial == best
        assert best.score < trials[0].score
        assert search.best == START.model_copy(update=dict(best.parameters))

    def test_resumed(self, file: Path, tmp_path: Path, model: ValuationModel) -> None:
        """Cut off in the middle of a trial and run again, a search makes the very trials of one that was not."""
        whole = list(Search(tmp_path / "whole.db", "rows", START).run(Attempts(model), 14))
        for die_at in (0, 5, 12):
            with pytest.raises(KeyboardInterrupt):
                list(
                    Search(file, "rows", START).run(
                        Attempts(model, die_at - len(Search(file, "rows", START).trials)), 14
                    )
                )
        assert len(Search(file, "rows", START).trials) == 12
        list(Search(file, "rows", START).run(Attempts(model), 14))
        assert Search(file, "rows", START).trials == whole

    def test_looked_at(self, file: Path, model: ValuationModel) -> None:
        """Who only asks for the trials does not take from a search the one that it is training."""
        search = Search(file, "rows", START)

        def attempt(config: TrainingConfig) -> ValuationModel:
            assert Search(file, "rows", START).best == START
            return Attempts(model)(config)

        assert [trial.number for trial in search.run(attempt, 1)] == [0]

    def test_enough(self, file: Path, model: ValuationModel) -> None:
        """A search that has its trials trains nothing."""
        list(Search(file, "rows", START).run(Attempts(model), 3))
        attempts = Attempts(model)
        assert list(Search(file, "rows", START).run(attempts, 3)) == []
        assert attempts.seen == []

    def test_other_rows(self, file: Path, model: ValuationModel) -> None:
        """Searches over other rows keep their own trials in the same file."""
        list(Search(file, "rows", START).run(Attempts(model), 2))
        assert Search(file, "other rows", START).trials == []

    def test_other_start(self, file: Path, model: ValuationModel) -> None:
        """Trials from another configuration are not mixed with these; the number of threads is no other one."""
        list(Search(file, "rows", START).run(Attempts(model), 1))
        with pytest.raises(SearchError, match="Give it another name"):
            Search(file, "rows", START.model_copy(update={"coverage": 0.8}))
        assert len(Search(file, "rows", START.model_copy(update={"threads": 2})).trials) == 1

    def test_loaded_model(self, file: Path, model: ValuationModel) -> None:
        """A model of which nobody knows how its training went cannot be scored."""
        with pytest.raises(SearchError, match="not trained just now"):
            list(Search(file, "rows", START).run(lambda config: dataclasses.replace(model, log=None), 1))  # noqa: ARG005

    def test_file(self, file: Path, model: ValuationModel) -> None:
        """The file is SQLite, for whoever wants to look at the trials."""
        list(Search(file, "rows", START).run(Attempts(model), 2))
        with sqlite3.connect(file) as connection:
            (found,) = connection.execute("select count(*) from trials where state = 'COMPLETE'").fetchone()
        connection.close()
        assert found == 2

    def test_training(self, file: Path, market: Any, config: TrainingConfig) -> None:
        """Two searches by real trainings agree, and the best trains to the error that its trial had."""
        found = []
        for name in ("one", "two"):
            search = Search(file, name, config)
            found.append(
                [
                    dataclasses.replace(trial, seconds=0.0)
                    for trial in search.run(lambda tried: train(market.train, market.validation, tried), 3)
                ]
            )
        assert found[0] == found[1]
        model = train(market.train, market.validation, search.best)
        assert model.log is not None
        assert search.best_trial is not None
        assert min(model.log.curve) == search.best_trial.error_log
