"""Score challenger and champion on the same test rows, which neither has seen."""

import polars as pl
import structlog

from appraiser_model import BundleMismatchError, Registry, ValuationModel, measure, segment_scores
from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError
from appraiser_schema import Evaluation, Split, utc_now
from appraiser_schema.frames import to_columns
from appraiser_store import Table

log = structlog.get_logger()


def evaluate(context: Context, batch_number: int) -> Evaluation:
    """Appraise the test rows of every batch up to this one with both models, and store how they did.

    The test rows are chosen by their own hash, so that no model ever trained on one. An evaluation that was made
    stands: later the champion may be this very model.

    Raises:
        OrderError: No model was trained for the batch, or it was not cleaned.
    """
    if made := context.ledger.evaluation(batch_number):
        context.registry.set_metrics(made.challenger_version, made.challenger)
        return made
    batch = context.batch(batch_number, "evaluate")
    challenger = context.registry.version_of_batch(batch_number)
    if challenger is None or batch.clean_snapshot_id is None:
        raise OrderError("evaluate", batch_number, "trained model", "train_model")
    champion = context.registry.champion()
    test = context.lake.read(
        Table.CLEAN, batches=range(batch_number + 1), split=Split.TEST, snapshot_id=batch.clean_snapshot_id
    )
    evaluation = _compare(
        context.registry, test, challenger, champion, batch_number=batch_number, snapshot_id=batch.clean_snapshot_id
    )
    context.ledger.save_evaluation(evaluation)
    context.registry.set_metrics(challenger, evaluation.challenger)
    log.info("evaluated", batch=batch_number, version=challenger, mdape=evaluation.challenger["mdape"])
    return evaluation


def _compare(
    registry: Registry,
    test: pl.DataFrame,
    challenger: int,
    champion: int | None,
    *,
    batch_number: int,
    snapshot_id: int,
) -> Evaluation:
    columns, price = to_columns(test), test["price"]
    ours = registry.load(challenger).model.appraise(columns)
    evaluation = Evaluation(
        batch_number=batch_number,
        snapshot_id=snapshot_id,
        evaluated_at=utc_now(),
        rows_test=test.height,
        challenger_version=challenger,
        champion_version=champion,
        challenger=measure(price, ours),
        champion=None,
        segments=segment_scores(test, ours.price_usd),
    )
    model = None if champion is None else _usable(registry, champion)
    if model is None:
        return evaluation
    theirs = model.appraise(columns)
    low, high = model.domain.price_usd
    return evaluation.model_copy(
        update={
            "champion": measure(price, theirs),
            "champion_prices_usd": (low, high),
            "rows_beyond_champion": int((~price.is_between(low, high)).sum()),
            "segments": segment_scores(test, ours.price_usd, theirs.price_usd),
        }
    )


def _usable(registry: Registry, champion: int) -> ValuationModel | None:
    """The champion's model; None where other feature code made it, so that it can appraise nothing any more."""
    try:
        return registry.load(champion).model
    except BundleMismatchError:
        log.warning("champion_unusable", version=champion)
        return None
