"""Write the listings of a batch the one way in which they are kept, without repeats, each with its split."""

import itertools
from typing import Final

import polars as pl
import structlog

import appraiser_pipeline.memory  # noqa: F401 - what it does, it does at import
from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError, StoppedBatchError
from appraiser_pipeline.splitting import hash_rows, split_rows
from appraiser_schema import Batch, BatchStatus, Split
from appraiser_schema.frames import FAILURE_SCHEMA, Checked, Stage, check_clean, normalise
from appraiser_store import Table, lake_schema

ROWS_AT_ONCE: Final = 65_536
"""Bounds what cleaning holds beside the rows themselves."""

log = structlog.get_logger()


def clean_and_split(context: Context, batch_number: int) -> Batch:
    """Move a validated batch from raw.listings to clean.listings.

    No statistic is computed here: what a row becomes depends on the row, and on whether an earlier batch had it.

    Returns:
        The batch with its counts and the snapshot of clean.listings that ends with it.

    Raises:
        StoppedBatchError: The batch was stopped by validation.
        OrderError: The batch was not validated.
    """
    batch = context.batch(batch_number, "clean_and_split")
    if batch.status is BatchStatus.CLEANED:
        return batch
    if batch.status is BatchStatus.STOPPED:
        raise StoppedBatchError(batch_number, batch.stop_reason or "no reason was recorded")
    if batch.status is not BatchStatus.VALIDATED:
        raise OrderError("clean_and_split", batch_number, "validated rows", "validate")
    checked = _checked(context, batch_number)
    quarantined = _quarantine(context, batch_number, checked.failures)
    unique = _without_repeats(context, batch_number, checked.good)
    clean = unique.with_columns(split_rows(pl.col("row_hash")), pl.lit(batch_number).alias("batch_number"))
    snapshot_id = context.lake.replace_batch(Table.CLEAN, batch_number, clean)
    rows = dict(clean.group_by("split").len().iter_rows())
    batch = batch.model_copy(
        update={
            "status": BatchStatus.CLEANED,
            "rows_quarantined": quarantined,
            "rows_duplicate": checked.good.height - clean.height,
            "rows_train": rows.get(Split.TRAIN.value, 0),
            "rows_validation": rows.get(Split.VALIDATION.value, 0),
            "rows_test": rows.get(Split.TEST.value, 0),
            "clean_snapshot_id": snapshot_id,
        }
    )
    context.ledger.save_batch(batch)
    log.info("cleaned", batch=batch_number, rows=clean.height, quarantined=quarantined, repeats=batch.rows_duplicate)
    return batch


def _checked(context: Context, batch_number: int) -> Checked:
    """The rows of the batch by the last door, some at a time, with their hashes; none is looked at with others."""
    good: list[pl.DataFrame] = []
    failures = [pl.DataFrame(schema=FAILURE_SCHEMA)]
    parts = context.lake.read_batches(Table.RAW, batches=[batch_number], rows=ROWS_AT_ONCE)
    for raw in itertools.chain(parts, [pl.DataFrame(schema=lake_schema(Table.RAW))]):
        part = check_clean(normalise(raw))
        good.append(part.good.with_columns(hash_rows(part.good)))
        failures.append(part.failures)
    return Checked(pl.concat(good), pl.concat(failures))


def _quarantine(context: Context, batch_number: int, failures: pl.DataFrame) -> int:
    """Add failures to those of validation; the number of rows of the batch that are in quarantine now."""
    kept = context.lake.read(Table.QUARANTINE, batches=[batch_number]).filter(pl.col("stage") != Stage.CLEAN.value)
    added = failures.select(pl.lit(batch_number).alias("batch_number"), *FAILURE_SCHEMA.names())
    both = pl.concat([kept, added.cast(dict(kept.schema))])  # type: ignore[arg-type]
    if not failures.is_empty():
        context.lake.replace_batch(Table.QUARANTINE, batch_number, both)
    return both["row_number"].n_unique()


def _without_repeats(context: Context, batch_number: int, frame: pl.DataFrame) -> pl.DataFrame:
    """Keep the first of equal rows, here and over the earlier batches: a repeat would stand in train and in test."""
    first = frame["row_hash"].is_first_distinct()
    return frame.filter(first & ~context.lake.seen(frame["row_hash"], batch_number))
