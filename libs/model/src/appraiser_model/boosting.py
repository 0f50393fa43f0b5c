"""Growing trees from pages: XGBoost asks for them one by one, several times over, and keeps only its bins."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from appraiser_model.config import TrainingConfig
from appraiser_model.engine import alone, xgboost
from appraiser_model.kept import Encoded, Pages

EXTERNAL_ROWS: Final = 8_000_000
"""More rows than this, copies among them, are binned on disk instead of in memory."""

_PREFIX: Final = "appraiser-bins-"


def boost(
    train: Pages,
    stopping: Pages,
    centre_log: float,
    config: TrainingConfig,
    *,
    folder: Path | None,
    cache_folder: Path | None,
) -> tuple[Any, tuple[float, ...]]:
    """Grow trees until the validation error hardly falls any more, and cut off those grown after its last fall.

    Args:
        train: What to learn from.
        stopping: What says when to stop.
        centre_log: What is taken off the logarithm of each price.
        config: How to train.
        folder: Where the features lie until they are binned; None is the system's folder for such files.
        cache_folder: Where the bins are kept; None keeps them in memory.

    Returns:
        `xgboost.Booster`, and the error on the validation listings after each tree.
    """
    stop = xgboost().callback.EarlyStopping(rounds=config.patience, min_delta=config.least_gain)
    data = _matrix(train, centre_log, config, folder=folder, cache_folder=cache_folder)
    held_out = (
        _held_out(stopping, centre_log, config)
        if cache_folder is None
        else _matrix(stopping, centre_log, config, folder=folder, cache_folder=cache_folder, reference=data)
    )
    history: dict[str, dict[str, list[float]]] = {}
    booster = xgboost().train(
        config.booster_parameters(),
        data,
        config.max_rounds,
        evals=[(held_out, "validation")],
        callbacks=[stop],
        evals_result=history,
        verbose_eval=False,
    )
    # A prediction uses every tree there is, whatever the best iteration was.
    best = booster[: booster.best_iteration + 1]
    best.set_attr(best_iteration=None, best_score=None)
    return alone(best), tuple(history["validation"]["mae"])


@contextmanager
def cache_below(folder: Path | None) -> Iterator[Path]:
    """A folder for bins, gone afterwards.

    Args:
        folder: Where it lies; folders for bins that a process which was killed has left there go now. None is the
            system's folder for such files, where nothing else is touched.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as made:
            yield Path(made)
        return
    with ExitStack() as held:
        # One after the other: a folder that was just made is not locked yet, and looks like one that was left.
        with _locked(folder, waits=True):
            for left in folder.glob(f"{_PREFIX}*"):
                _clear(left)
            made_here = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
            held.enter_context(_locked(made_here))
        held.callback(shutil.rmtree, made_here, ignore_errors=True)
        yield made_here


def _clear(left: Path) -> None:
    """Remove a folder, unless it belongs to a process that is alive, or to someone else."""
    with suppress(OSError), _locked(left):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _locked(folder: Path, *, waits: bool = False) -> Iterator[None]:
    """Lock a folder: a process that is alive keeps its own locked, one that ended does not.

    Raises:
        BlockingIOError: Another has locked it, and this one does not wait.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        yield
    finally:
        os.close(handle)


def _matrix(
    pages: Pages,
    centre_log: float,
    config: TrainingConfig,
    *,
    folder: Path | None,
    cache_folder: Path | None,
    reference: Any = None,
) -> Any:
    prefix = None if cache_folder is None else str(cache_folder / ("train" if reference is None else "validation"))
    kind = xgboost().QuantileDMatrix if cache_folder is None else xgboost().ExtMemQuantileDMatrix
    with closing(Encoded(pages, folder)) as encoded:
        iterator = _iterator()(encoded, list(pages.rows.names), centre_log, prefix)
        return kind(iterator, ref=reference, nthread=config.threads)


def _held_out(pages: Pages, centre_log: float, config: TrainingConfig) -> Any:
    """The listings that say when to stop, as they are: from bins XGBoost judges each tree more slowly."""
    parts = [pages.page(number) for number in range(len(pages))]
    matrix, price_usd = (np.concatenate(part) for part in zip(*parts, strict=True))
    label = np.log(price_usd) - centre_log
    return xgboost().DMatrix(matrix, label, feature_names=list(pages.rows.names), nthread=config.threads)


@cache
def _iterator() -> type:
    """The class, made late: its base comes with XGBoost."""

    class PageIterator(xgboost().DataIter):  # type: ignore[misc]
        """Hands pages to XGBoost."""

        def __init__(self, pages: Encoded, names: list[str], centre_log: float, prefix: str | None) -> None:
            self.pages, self.names, self.centre_log, self.number = pages, names, centre_log, 0
            super().__init__(cache_prefix=prefix)

        def next(self, input_data: Any) -> bool:
            """Hand over the next page; False where there is none."""
            if self.number == len(self.pages):
                return False
            matrix, price_usd = self.pages.page(self.number)
            self.number += 1
            input_data(data=matrix, label=np.log(price_usd) - self.centre_log, feature_names=self.names)
            return True

        def reset(self) -> None:
            """Begin again."""
            self.number = 0

    return PageIterator
