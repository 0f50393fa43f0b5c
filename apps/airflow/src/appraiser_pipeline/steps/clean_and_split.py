"""Write the listings of a batch the one way in which they are kept, without repeats, each with its split."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
import structlog

import appraiser_pipeline.memory  # noqa: F401 - what it does, it does at import
from appraiser_pipeline.ahead import ahead
from appraiser_pipeline.batch_report import keep_refusals
from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError, StoppedBatchError
from appraiser_pipeline.splitting import hash_rows, split_rows
from appraiser_schema import Batch, BatchStatus, Split
from appraiser_schema.frames import FAILURE_SCHEMA, Stage, check_clean, normalise, part_clean
from appraiser_store import Table
from appraiser_store.seen import Earlier

ROWS_AT_ONCE: Final = 16_384
"""Bounds what cleaning holds: with twice as many rows 30 MB more, and no less time."""

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
    found = _Found()
    snapshot_id = context.lake.replace_batch(
        Table.CLEAN, batch_number, ahead(_clean_rows(context, batch_number, found))
    )
    batch = batch.model_copy(
        update={
            "status": BatchStatus.CLEANED,
            "rows_quarantined": _quarantine(context, batch_number, found.failures()),
            "rows_duplicate": found.repeats,
            "rows_train": found.rows[Split.TRAIN],
            "rows_validation": found.rows[Split.VALIDATION],
            "rows_test": found.rows[Split.TEST],
            "clean_snapshot_id": snapshot_id,
        }
    )
    context.ledger.save_batch(batch)
    log.info(
        "cleaned",
        batch=batch_number,
        rows=found.rows.total(),
        quarantined=batch.rows_quarantined,
        repeats=batch.rows_duplicate,
    )
    return batch


@dataclass(slots=True)
class _Found:
    """What was found among the rows so far."""

    rows: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    others: list[pl.DataFrame] = field(default_factory=list)

    def failures(self) -> pl.DataFrame:
        """What is wrong with the rows that are not kept."""
        return check_clean(pl.concat(self.others)).failures if self.others else pl.DataFrame(schema=FAILURE_SCHEMA)


def _clean_rows(context: Context, batch_number: int, found: _Found) -> Iterator[pl.DataFrame]:
    """The rows of the batch as they are kept, some at a time; none is looked at with others but for repeats.

    The first of equal rows is kept, here and over the earlier batches: a repeat would stand in train and in test.
    """
    seen_before, earlier = context.lake.seen_before(batch_number), Earlier()
    for raw in ahead(context.lake.read_batches(Table.RAW, batches=[batch_number], rows=ROWS_AT_ONCE)):
        good, others = part_clean(normalise(raw))
        row_hash = hash_rows(good)
        came = pl.Series(earlier.among(row_hash.to_numpy().view(np.uint64)))
        new = row_hash.is_first_distinct() & ~came & ~seen_before(row_hash)
        kept = good.with_columns(row_hash).filter(new).with_columns(split_rows(pl.col("row_hash")))
        found.others.append(others)
        found.repeats += good.height - kept.height
        found.rows.update(dict(kept.group_by("split").len().iter_rows()))
        yield kept


def _quarantine(context: Context, batch_number: int, failures: pl.DataFrame) -> int:
    """Add failures to those of validation; the number of rows of the batch that are in quarantine now."""
    kept = context.lake.read(Table.QUARANTINE, batches=[batch_number]).filter(pl.col("stage") != Stage.CLEAN.value)
    added = failures.select(pl.lit(batch_number).alias("batch_number"), *FAILURE_SCHEMA.names())
    both = pl.concat([kept, added.cast(dict(kept.schema))])  # type: ignore[arg-type]
    if not failures.is_empty():
        context.lake.replace_batch(Table.QUARANTINE, batch_number, both)
        keep_refusals(context, batch_number, both)
    return both["row_number"].n_unique()
