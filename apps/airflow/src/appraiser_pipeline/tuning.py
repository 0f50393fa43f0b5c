"""The search of training parameters on the clean listings up to a batch."""

import hashlib
from collections.abc import Iterator
from typing import Final

import structlog

from appraiser_model import TrainingConfig
from appraiser_model.search import Attempt, Search, Trial, search_names
from appraiser_pipeline.context import Context
from appraiser_store.lock import exclusive

STUDY: Final = "tuning.db"
"""In the folder of the lake, whose snapshots its searches are about."""

LOCK: Final = "tuning.lock"

log = structlog.get_logger()


def search_of(context: Context, snapshot_id: int, config: TrainingConfig) -> Search:
    """The search over the listings of a snapshot that starts from a configuration, with the trials it has already.

    Another start is another search: an upgrade that changes a default begins anew.
    """
    return Search(context.settings.lake / STUDY, _name(snapshot_id, config), config)


def tune(context: Context, snapshot_id: int, config: TrainingConfig, attempt: Attempt, trials: int) -> Iterator[Trial]:
    """Train until the search has so many trials; gives each new one as soon as it is stored.

    Searches over one lake take turns, whichever process they run in. That an earlier search of the snapshot started
    from another configuration, and is not gone on with, is told in the log.

    Raises:
        TrainingError: There are too few listings.
    """
    with exclusive(context.settings.lake / LOCK):
        name = _name(snapshot_id, config)
        others = [o for o in search_names(context.settings.lake / STUDY) if o.split(",")[0] == name.split(",")[0]]
        if name not in others and others:
            log.warning("search_not_continued", search=name, others=others, why="another configuration to start from")
        yield from search_of(context, snapshot_id, config).run(attempt, trials)


def _name(snapshot_id: int, config: TrainingConfig) -> str:
    start = config.model_dump_json(exclude={"threads"})
    return f"snapshot {snapshot_id}, start {hashlib.sha256(start.encode()).hexdigest()[:12]}"


def tuned(context: Context, snapshot_id: int, config: TrainingConfig, attempt: Attempt) -> TrainingConfig:
    """The best parameters of as many trials as the settings ask for; the given ones where they ask for none."""
    if not context.settings.tuning_trials:
        return config
    for trial in tune(context, snapshot_id, config, attempt, context.settings.tuning_trials):
        log.info("tried", trial=trial.number, score=round(trial.score, 6), trees=trial.trees)
    return search_of(context, snapshot_id, config).best
