"""Check every row of a batch against the raw schema; what breaks it goes to quarantine."""

import polars as pl
import structlog

import appraiser_pipeline.memory  # noqa: F401 - what it does, it does at import
from appraiser_pipeline.body import BodyError, read_rows
from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import StoppedBatchError
from appraiser_schema import Batch, BatchStatus, ShapeError
from appraiser_schema.frames import FAILURE_SCHEMA, check_raw, coerce
from appraiser_store import Table

log = structlog.get_logger()


def validate(context: Context, batch_number: int) -> Batch:
    """Read a landed batch into raw.listings, and the rows that are no listings into quarantine.listings.

    Returns:
        The batch with its counts.

    Raises:
        StoppedBatchError: Its shape has changed, it has no rows, or too many rows are refused. Only the quarantine
            and the reason are written then.
        OrderError: The batch was never landed.
    """
    batch = context.batch(batch_number, "validate")
    if batch.status is not BatchStatus.LANDED:
        _raise_if_stopped(batch)
        return batch
    try:
        with context.landing.path(batch.landing_path).open("rb") as body:
            typed = coerce(read_rows(body))
    except (BodyError, ShapeError) as error:
        raise _stop(context, batch, str(error)) from None
    checked = check_raw(typed.good, as_of=batch.received_at.date())
    failures = pl.concat([typed.failures, checked.failures])
    received = typed.good.height + typed.refused
    refused = typed.refused + checked.refused
    batch = batch.model_copy(update={"rows_received": received, "rows_quarantined": refused})
    _quarantine(context, batch_number, failures)
    if reason := _why_unfit(received, refused, failures, context.settings.validation_policy.most_refused):
        raise _stop(context, batch, reason)
    context.lake.replace_batch(
        Table.RAW, batch_number, checked.good.with_columns(pl.lit(batch_number).alias("batch_number"))
    )
    batch = batch.model_copy(update={"status": BatchStatus.VALIDATED})
    context.ledger.save_batch(batch)
    log.info("validated", batch=batch_number, received=received, quarantined=refused)
    return batch


def _why_unfit(received: int, refused: int, failures: pl.DataFrame, most: float) -> str | None:
    if received == 0:
        return "it has no rows"
    if refused <= most * received:
        return None
    commonest = failures.group_by("column", "rule").len().sort("len", "column", "rule", descending=[True, False, False])
    rules = "; ".join(
        f"{row['column']} must be {row['rule']} ({row['len']:,} rows)" for row in commonest.head(3).to_dicts()
    )
    return f"{refused:,} of {received:,} rows are no listings, more than {most:.0%}: {rules}"


def _quarantine(context: Context, batch_number: int, failures: pl.DataFrame) -> None:
    rows = failures.select(pl.lit(batch_number).alias("batch_number"), *FAILURE_SCHEMA.names())
    context.lake.replace_batch(Table.QUARANTINE, batch_number, rows)


def _stop(context: Context, batch: Batch, reason: str) -> StoppedBatchError:
    context.ledger.save_batch(batch.model_copy(update={"status": BatchStatus.STOPPED, "stop_reason": reason}))
    log.warning("stopped", batch=batch.batch_number, reason=reason)
    return StoppedBatchError(batch.batch_number, reason)


def _raise_if_stopped(batch: Batch) -> None:
    if batch.status is BatchStatus.STOPPED:
        raise StoppedBatchError(batch.batch_number, batch.stop_reason or "no reason was recorded")
