"""The steps of one batch in one process, in the order in which the DAG wires them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import import_module
from typing import Any

from appraiser_pipeline.context import Context
from appraiser_pipeline.standing import is_decided
from appraiser_schema import FetchOutcome, Outcome
from appraiser_store.lock import STEPS, exclusive


class Step(StrEnum):
    """The steps, by the names that the DAG gives its tasks."""

    FETCH_BATCH = "fetch_batch"
    VALIDATE = "validate"
    CLEAN_AND_SPLIT = "clean_and_split"
    DECIDE_TRAINING = "decide_training"
    TRAIN_MODEL = "train_model"
    EVALUATE = "evaluate"
    DECIDE_PROMOTION = "decide_promotion"
    PROMOTE = "promote"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step that was run.

    Attributes:
        step: Which.
        batch_number: Of which batch; None where the source was exhausted.
        seconds: How long it took.
        summary: What came of it, in a sentence.
    """

    step: Step
    batch_number: int | None
    seconds: float
    summary: str


def call(step: Step, context: Context, batch_number: int | None = None, **options: Any) -> Any:
    """Call a step by its name. Its module is imported only now: a step pays for the libraries that it needs.

    Steps over one lake take turns, whichever process they run in. Each reads the ledger first, so that one that comes
    second finds what the first has done.
    """
    function: Callable[..., Any] = getattr(import_module(f"appraiser_pipeline.steps.{step}"), step)
    context.settings.lake.mkdir(parents=True, exist_ok=True)
    with exclusive(context.settings.lake / STEPS):
        return function(context) if step is Step.FETCH_BATCH else function(context, batch_number, **options)


def run_batch(context: Context) -> Iterator[StepRun]:
    """Bring the next batch through every step that it needs; the last step says whether there was a batch.

    A dry run ends with the decision: neither alias moves.
    """
    fetched, done = _timed(Step.FETCH_BATCH, context, None)
    yield done
    if fetched.outcome is FetchOutcome.EXHAUSTED:
        return
    yield from _after_fetch(context, fetched.batch_number)


def run_again(context: Context, batch_number: int) -> Iterator[StepRun]:
    """Take a batch that has landed through the steps once more, from its bytes; the source is not asked.

    The same code gives the same rows, so that nothing is written. Decisions that were made stand, whatever the rows
    are now: then it ends with the rows. A stopped batch is looked at again.

    Raises:
        OrderError: The batch was never landed.
    """
    before = context.batch(batch_number, "run again")
    _, done = _timed(Step.VALIDATE, context, batch_number, again=True)
    yield done
    after, done = _timed(Step.CLEAN_AND_SPLIT, context, batch_number)
    same = after.clean_snapshot_id == before.clean_snapshot_id
    yield replace(done, summary=f"{done.summary} {'The rows are those of before.' if same else 'The rows are others.'}")
    if not is_decided(context, batch_number):
        yield from _after_fetch(context, batch_number)


def _after_fetch(context: Context, batch_number: int) -> Iterator[StepRun]:
    for step in (Step.VALIDATE, Step.CLEAN_AND_SPLIT, Step.DECIDE_TRAINING):
        result, done = _timed(step, context, batch_number)
        yield done
    if result.outcome is Outcome.SKIP:
        return
    for step in (Step.TRAIN_MODEL, Step.EVALUATE, Step.DECIDE_PROMOTION):
        result, done = _timed(step, context, batch_number)
        yield done
    if context.settings.dry_run:
        return
    last = Step.PROMOTE if result.outcome is Outcome.PROMOTE else Step.REJECT
    yield _timed(last, context, batch_number)[1]


def _timed(step: Step, context: Context, batch_number: int | None, **options: Any) -> tuple[Any, StepRun]:
    start = time.perf_counter()
    result = call(step, context, batch_number, **options)
    seconds = time.perf_counter() - start
    number = result.batch_number if step is Step.FETCH_BATCH else batch_number
    return result, StepRun(step, number, round(seconds, 3), in_words(step, result))


def in_words(step: Step, result: Any) -> str:
    """What came of a step, in a sentence."""
    match step:
        case Step.FETCH_BATCH if result.outcome is FetchOutcome.EXHAUSTED:
            words = "The source has no further batch."
        case Step.FETCH_BATCH if result.resumed:
            words = f"Batch {result.batch_number} was not brought to its end and goes on."
        case Step.FETCH_BATCH:
            words = f"Batch {result.batch_number} has landed ({result.outcome.value.replace('_', ' ')})."
        case Step.VALIDATE:
            words = f"{result.rows_received:,} rows, {result.rows_quarantined:,} in quarantine."
        case Step.CLEAN_AND_SPLIT:
            words = (
                f"{result.rows_train:,} rows to train, {result.rows_validation:,} to validate, {result.rows_test:,} "
                f"to test; {result.rows_quarantined:,} in quarantine, {result.rows_duplicate:,} repeats."
            )
        case Step.TRAIN_MODEL:
            words = f"Version {result} is trained."
        case Step.EVALUATE:
            words = f"Median error {result.challenger['mdape']:.1f} % on {result.rows_test:,} test rows."
        case Step.DECIDE_TRAINING | Step.DECIDE_PROMOTION:
            words = result.summary
        case Step.PROMOTE | Step.REJECT:
            words = f"The alias {result.alias.value} is version {result.to_version} now."
    return words
