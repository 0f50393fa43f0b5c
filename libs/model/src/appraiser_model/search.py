"""The search of training parameters: recorded, resumable, the same whenever it is repeated."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from appraiser_model.config import TrainingConfig
from appraiser_model.errors import SearchError
from appraiser_model.valuation import ValuationModel

type Attempt = Callable[[TrainingConfig], ValuationModel]
"""Trains a model on the rows that the search is about, right now, so that its log is known."""

SPACE: Final[Mapping[str, tuple[float, float, bool]]] = {
    "learning_rate": (0.03, 0.3, True),
    "max_depth": (4, 9, False),
    "min_child_weight": (1.0, 60.0, True),
    "subsample": (0.5, 1.0, False),
    "colsample": (0.25, 1.0, False),
    "l2": (0.1, 30.0, True),
}
"""Field of `TrainingConfig`: the least value, the greatest, and whether ratios count instead of differences.

Deeper trees than 9 lowered the error by two thousandths of itself more (on 29,000 listings); their file is many times
as large, and so is the time of an explanation."""

ERROR_PER_TREE: Final = 1e-5
"""What a tree may cost, as a share of the error: a hundred trees fewer are worth a thousandth of it, as every tree
costs time with every appraisal (0.1 µs) and explanation (5 µs)."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One model that was trained to see how good its parameters are.

    Attributes:
        number: Counted from 0 in the order of training.
        score: What the search makes least: the error, and `ERROR_PER_TREE` of it for each tree.
        error_log: Mean absolute error of the logarithm of the price, on the validation listings that say when to stop.
        trees: How many trees it has.
        seconds: How long the training took.
        parameters: By the names of `TrainingConfig`.
    """

    number: int
    score: float
    error_log: float
    trees: int
    seconds: float
    parameters: Mapping[str, float | int]

    def __str__(self) -> str:
        """One line for people."""
        parameters = ", ".join(f"{name} {value:.4g}" for name, value in self.parameters.items())
        return (
            f"trial {self.number:<3} score {self.score:.5f}  error {self.error_log:.5f}  {self.trees} trees  "
            f"{self.seconds:.1f} s  {parameters}"
        )


class Search:
    """The search over one set of rows.

    Each trial is stored in a SQLite file as soon as its model is trained, so that a search that was cut off goes on
    where it was. What is tried next (the tree-structured Parzen estimator of Bergstra and others, 2011, as Optuna
    implements it) follows from the seed and the trials so far: ten trials, or twice five, are the same ten. The first
    has the configuration that the search starts from, so the best is never worse than that.

    The score is taken on the half of the validation listings that say when to stop. The test listings have no part in
    it, nor have those that calibrate the interval, whose promise the choice among many models would weaken.

    Args:
        file: Where the trials are kept; several searches may share it.
        name: Name of the search, different for other rows.
        start: The configuration to start from; what is not in `SPACE` stays as it is.
    """

    def __init__(self, file: Path, name: str, start: TrainingConfig) -> None:
        self.name = name
        self._start = start
        self._optuna = _optuna()
        file.parent.mkdir(parents=True, exist_ok=True)
        self._study = self._optuna.create_study(
            study_name=name, storage=f"sqlite:///{file}", direction="minimize", load_if_exists=True
        )
        self._check_start()

    def run(self, attempt: Attempt, trials: int) -> Iterator[Trial]:
        """Train until there are as many trials as asked for, earlier ones counted; gives each new one.

        Args:
            attempt: Trains with a configuration. The same rows each time.
            trials: How many trials there shall be. An attempt that cannot be trained ends the search with its error.
                A trial that another process began and did not finish is given up: only one may run at a time.
        """
        self._give_up_unfinished()
        for number in range(len(self.trials), trials):
            # Seeded anew for each trial: what comes next depends on the trials so far, not on where it was cut off.
            self._study.sampler = self._optuna.samplers.TPESampler(seed=self._start.seed + number)
            if number == 0:
                self._study.enqueue_trial({name: getattr(self._start, name) for name in SPACE})
            trial = self._study.ask()
            model = attempt(self._start.model_copy(update=_suggest(trial)))
            self._study.tell(trial, self._keep(trial, model))
            yield self.trials[-1]

    @property
    def trials(self) -> list[Trial]:
        """The trials so far, in the order of training."""
        complete = self._study.get_trials(states=[self._optuna.trial.TrialState.COMPLETE])
        return [
            Trial(i, one.value, parameters=dict(one.params), **one.user_attrs["told"]) for i, one in enumerate(complete)
        ]

    @property
    def best_trial(self) -> Trial | None:
        """The trial with the least score, the earliest at a tie; None without trials."""
        return min(self.trials, key=lambda trial: trial.score, default=None)

    @property
    def best(self) -> TrainingConfig:
        """The configuration of the best trial; the one that the search starts from without trials."""
        best = self.best_trial
        return self._start.model_copy(update=dict(best.parameters)) if best else self._start

    def _keep(self, trial: Any, model: ValuationModel) -> float:
        if model.log is None:
            raise SearchError(self.name, "an attempt gave a model that was not trained just now")
        error = min(model.log.curve)
        told = {"error_log": error, "trees": model.rounds, "seconds": round(model.log.seconds, 3)}
        trial.set_user_attr("told", told)
        return error * (1 + ERROR_PER_TREE * model.rounds)

    def _check_start(self) -> None:
        """Trials from another start say little of this one."""
        start = self._start.model_dump_json(exclude={"threads"})
        if self._study.user_attrs.get("start", start) != start:
            raise SearchError(self.name, "its trials started from another configuration")
        self._study.set_user_attr("start", start)

    def _give_up_unfinished(self) -> None:
        """A trial that a killed process left behind must not count as running."""
        state = self._optuna.trial.TrialState
        for trial in self._study.get_trials(deepcopy=False, states=[state.RUNNING, state.WAITING]):
            if trial.state is state.WAITING:
                self._study.ask()
            self._study.tell(trial.number, state=state.FAIL)


def search_names(file: Path) -> list[str]:
    """Names of the searches in a file that have trials; none where there is no file."""
    if not file.exists():
        return []
    summaries = _optuna().get_all_study_summaries(f"sqlite:///{file}", include_best_trial=False)
    return [summary.study_name for summary in summaries if summary.n_trials]


def _suggest(trial: Any) -> dict[str, float | int]:
    found = {}
    for name, (least, most, by_ratio) in SPACE.items():
        suggest = trial.suggest_int if TrainingConfig.model_fields[name].annotation is int else trial.suggest_float
        found[name] = suggest(name, least, most, log=by_ratio)
    return found


def _optuna() -> ModuleType:
    """Import Optuna, which takes a second, and let it be quiet: what it did is in the trials."""
    import optuna  # noqa: PLC0415

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
