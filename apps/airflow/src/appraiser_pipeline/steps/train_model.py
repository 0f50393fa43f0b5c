"""Train a model on everything up to a batch, and register it."""

from collections.abc import Collection

import polars as pl
import structlog

from appraiser_model import Bundle, Card, TrainingConfig, ValuationModel, measure, train
from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError
from appraiser_pipeline.tuning import tuned
from appraiser_schema import BatchStatus, Split
from appraiser_schema.frames import to_columns
from appraiser_store import Table

log = structlog.get_logger()


def train_model(context: Context, batch_number: int) -> int:
    """Train on the snapshot that ends with a batch, and register the model with its card.

    A model that the batch has already is not trained again. One whose training was cut off was never registered; it
    is trained again, to the same bytes. Where the settings ask for a search of parameters, it comes first, or goes on.

    Returns:
        The version in the registry.

    Raises:
        OrderError: The batch was not cleaned.
        TrainingError: There are too few listings.
    """
    if (version := context.registry.version_of_batch(batch_number)) is not None:
        return version
    batch = context.batch(batch_number, "train_model")
    if batch.status is not BatchStatus.CLEANED or batch.clean_snapshot_id is None:
        raise OrderError("train_model", batch_number, "clean rows", "clean_and_split")
    batches, snapshot_id = range(batch_number + 1), batch.clean_snapshot_id
    start = TrainingConfig(seed=context.settings.seed, threads=context.settings.threads)
    config = tuned(context, snapshot_id, start, lambda tried: train_on(context, batches, snapshot_id, tried))
    model = train_on(context, batches, snapshot_id, config)
    training, validation = _listings(context, batches, snapshot_id)
    card = Card.of(
        model,
        training,
        config=config,
        source=batch.source,
        simulated_data=batch.simulated,
        batch_number=batch_number,
        snapshot_id=snapshot_id,
        code_version=context.code_version,
        metrics=measure(validation["price"], model.appraise(to_columns(validation))),
    )
    version = context.registry.register(Bundle(model, card))
    log.info("trained", batch=batch_number, version=version, rows=card.rows_train, trees=model.rounds)
    return version


def train_on(context: Context, batches: Collection[int], snapshot_id: int, config: TrainingConfig) -> ValuationModel:
    """Train on the clean listings of some batches, as a snapshot holds them: the same model every time.

    Raises:
        SnapshotError: The lake has no such snapshot.
        TrainingError: There are too few listings.
    """
    return train(*_listings(context, batches, snapshot_id), config)


def _listings(context: Context, batches: Collection[int], snapshot_id: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = context.lake.read(Table.CLEAN, batches=batches, snapshot_id=snapshot_id)
    return rows.filter(split=Split.TRAIN.value), rows.filter(split=Split.VALIDATION.value)
