"""Train a model on everything up to a batch, and register it."""

import resource
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final

import polars as pl
import structlog

from appraiser_model import COMPARABLES_FILE, Bundle, Card, Trained, TrainingConfig, ValuationModel, train_from
from appraiser_pipeline.ahead import ahead
from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError
from appraiser_pipeline.keeping import keep_listings
from appraiser_pipeline.standing import version_of
from appraiser_pipeline.tuning import tuned
from appraiser_schema import LISTING_COLUMNS, BatchStatus, Split
from appraiser_store import Table

if TYPE_CHECKING:
    from appraiser_store import Lake

SCRATCH: Final = "scratch"
"""Folder beside the tables where a training keeps listings while it lasts."""

ROWS_AT_ONCE: Final = 262_144
"""About 20 MB. Each different place of as many rows is looked at once: of half as many, training takes 1 % longer."""

log = structlog.get_logger()


def train_model(context: Context, batch_number: int) -> int:
    """Train on the snapshot that ends with a batch, and register the model with its card.

    A model that the batch has already is not trained again, unless it comes from another lake or from feature code
    that is no more. One whose training was cut off was never registered; it is trained again, to the same bytes.
    Where the settings ask for a search of parameters, it comes first, or goes on.

    Returns:
        The version in the registry.

    Raises:
        OrderError: The batch was not cleaned.
        TrainingError: There are too few listings.
    """
    batch = context.batch(batch_number, "train_model")
    if batch.status is not BatchStatus.CLEANED or batch.clean_snapshot_id is None:
        raise OrderError("train_model", batch_number, "clean rows", "clean_and_split")
    if (version := version_of(context, batch)) is not None:
        if not context.registry.has_file(version, COMPARABLES_FILE):
            # The step was cut off after the version had appeared.
            keep_listings(context, version, context.registry.card(version))
        return version
    batches, snapshot_id = range(batch_number + 1), batch.clean_snapshot_id
    start = TrainingConfig(seed=context.settings.seed, threads=context.settings.threads)
    config = tuned(context, snapshot_id, start, lambda tried: train_on(context, batches, snapshot_id, tried))
    trained = _train(context, batches, snapshot_id, config)
    used = [number for number in context.lake.batch_rows(Table.CLEAN, snapshot_id) if number in batches]
    card = Card.of(
        trained.model,
        pl.DataFrame({"batch_number": used}),
        config=config,
        source=batch.source,
        simulated_data=batch.simulated,
        batch_number=batch_number,
        snapshot_id=snapshot_id,
        code_version=context.code_version,
        metrics=trained.metrics,
        inputs=trained.inputs,
    )
    version = context.registry.register(Bundle(trained.model, card))
    keep_listings(context, version, card)
    log.info(
        "trained",
        batch=batch_number,
        version=version,
        rows=card.rows_train,
        trees=card.rounds,
        seconds=card.training_seconds,
        peak_mb=_peak_mb(),
    )
    return version


def train_on(context: Context, batches: Collection[int], snapshot_id: int, config: TrainingConfig) -> ValuationModel:
    """Train on the clean listings of some batches, as a snapshot holds them: the same model every time.

    Raises:
        SnapshotError: The lake has no such snapshot.
        TrainingError: There are too few listings.
    """
    return _train(context, batches, snapshot_id, config).model


def listings_of(lake: "Lake", batches: Collection[int], snapshot_id: int) -> Iterator[tuple[Split, pl.DataFrame]]:
    """Read what a training needs of clean listings, some at a time."""
    columns = ("split", "row_hash", "price", *LISTING_COLUMNS)
    frames = lake.read_batches(
        Table.CLEAN, columns=columns, batches=batches, snapshot_id=snapshot_id, rows=ROWS_AT_ONCE
    )
    for frame in ahead(frames):
        for split in (Split.TRAIN, Split.VALIDATION):
            yield split, frame.filter(split=split.value)


def _train(context: Context, batches: Collection[int], snapshot_id: int, config: TrainingConfig) -> Trained:
    return train_from(listings_of(context.lake, batches, snapshot_id), config, context.settings.lake / SCRATCH)


def _peak_mb() -> int:
    """The most memory that this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
