"""The search of training parameters on the clean listings up to a batch."""

from collections.abc import Iterator
from typing import Final

import structlog

from appraiser_model import TrainingConfig
from appraiser_model.search import Attempt, Search, Trial
from appraiser_pipeline.context import Context
from appraiser_store.lock import exclusive

STUDY: Final = "tuning.db"
"""In the folder of the lake, whose snapshots its searches are about."""

LOCK: Final = "tuning.lock"

log = structlog.get_logger()


def search_of(context: Context, snapshot_id: int, config: TrainingConfig) -> Search:
    """The search over the listings of a snapshot, with the trials that it has already.

    Raises:
        SearchError: The trials so far started from another configuration.
    """
    return Search(context.settings.lake / STUDY, f"snapshot {snapshot_id}", config)


def tune(context: Context, snapshot_id: int, config: TrainingConfig, attempt: Attempt, trials: int) -> Iterator[Trial]:
    """Train until the search has so many trials; gives each new one as soon as it is stored.

    Searches over one lake take turns, whichever process they run in.

    Raises:
        SearchError: The trials so far started from another configuration.
        TrainingError: There are too few listings.
    """
    with exclusive(context.settings.lake / LOCK):
        yield from search_of(context, snapshot_id, config).run(attempt, trials)


def tuned(context: Context, snapshot_id: int, config: TrainingConfig, attempt: Attempt) -> TrainingConfig:
    """The best parameters of as many trials as the settings ask for; the given ones where they ask for none."""
    if not context.settings.tuning_trials:
        return config
    for trial in tune(context, snapshot_id, config, attempt, context.settings.tuning_trials):
        log.info("tried", trial=trial.number, score=round(trial.score, 6), trees=trial.trees)
    return search_of(context, snapshot_id, config).best
