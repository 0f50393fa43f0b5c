"""Score challenger and champion on the same test rows, which neither has seen."""

import structlog

from appraiser_model import Appraised, measure, segment_scores
from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError
from appraiser_schema import Evaluation, Split, utc_now
from appraiser_schema.columns import Columns
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
    columns = to_columns(test)
    ours = _appraise(context, challenger, columns)
    theirs = None if champion is None else _appraise(context, champion, columns)
    evaluation = Evaluation(
        batch_number=batch_number,
        snapshot_id=batch.clean_snapshot_id,
        evaluated_at=utc_now(),
        rows_test=test.height,
        challenger_version=challenger,
        champion_version=champion,
        challenger=measure(test["price"], ours),
        champion=measure(test["price"], theirs) if theirs else None,
        segments=segment_scores(test, ours.price_usd, theirs.price_usd if theirs else None),
    )
    context.ledger.save_evaluation(evaluation)
    context.registry.set_metrics(challenger, evaluation.challenger)
    log.info("evaluated", batch=batch_number, version=challenger, mdape=evaluation.challenger["mdape"])
    return evaluation


def _appraise(context: Context, version: int, columns: Columns) -> Appraised:
    return context.registry.load(version).model.appraise(columns)
