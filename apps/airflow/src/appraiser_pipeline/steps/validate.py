"""Check every row of a batch against the raw schema; what breaks it goes to quarantine."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import polars as pl
import structlog

import appraiser_pipeline.memory  # noqa: F401 - what it does, it does at import
from appraiser_pipeline.ahead import ahead
from appraiser_pipeline.batch_report import keep_refusals
from appraiser_pipeline.body import BodyError, read_portions
from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import StoppedBatchError
from appraiser_schema import RAW_COLUMNS, Batch, BatchStatus, ShapeError
from appraiser_schema.frames import FAILURE_SCHEMA, ROW_NUMBER, check_raw, coerce
from appraiser_store import Table

log = structlog.get_logger()


def validate(context: Context, batch_number: int, *, again: bool = False) -> Batch:
    """Read a landed batch into raw.listings, and the rows that are no listings into quarantine.listings.

    Args:
        context: Stores and policy.
        batch_number: Which batch.
        again: Whether one that was validated, or stopped, is read from its bytes once more.

    Returns:
        The batch with its counts.

    Raises:
        StoppedBatchError: Its shape has changed, it has no rows, or too many rows are refused. Only the quarantine
            and the reason are written then.
        OrderError: The batch was never landed.
    """
    batch = context.batch(batch_number, "validate")
    if batch.status is not BatchStatus.LANDED and not again:
        _raise_if_stopped(batch)
        return batch
    found = _Found()
    try:
        with context.landing.path(batch.landing_path).open("rb") as body:
            context.lake.replace_batch(Table.RAW, batch_number, ahead(_good_rows(context, batch, body, found)))
    except (BodyError, ShapeError) as error:
        raise _stop(context, batch, str(error)) from None
    except _UnfitError as error:
        raise _stop(context, _counted(batch, found), str(error)) from None
    batch = _counted(batch, found).model_copy(update={"status": BatchStatus.VALIDATED, "stop_reason": None})
    context.ledger.save_batch(batch)
    log.info("validated", batch=batch_number, received=found.received, quarantined=found.refused)
    return batch


class _UnfitError(Exception):
    """Too many rows are refused."""


@dataclass(slots=True)
class _Found:
    """What was found among the rows so far."""

    received: int = 0
    refused: int = 0
    failures: list[pl.DataFrame] = field(default_factory=lambda: [pl.DataFrame(schema=FAILURE_SCHEMA)])


def _good_rows(context: Context, batch: Batch, body: BinaryIO, found: _Found) -> Iterator[pl.DataFrame]:
    """The rows that are listings, some at a time; at the end the others are in quarantine.

    Raises:
        ShapeError: Columns are missing in all rows, or there are others.
        _UnfitError: There are no rows, or too many are refused.
    """
    names: set[str] = set()
    for portion in ahead(read_portions(body)):
        names |= set(portion.columns)
        # Once the shape is another one, only names are looked for: all are told.
        if names <= set(RAW_COLUMNS):
            yield _checked(portion, batch, found)
    if names and names != set(RAW_COLUMNS):
        raise ShapeError(tuple(c for c in RAW_COLUMNS if c not in names), tuple(sorted(names - set(RAW_COLUMNS))))
    failures = pl.concat(found.failures)
    _quarantine(context, batch.batch_number, failures)
    policy = context.settings.validation_policy
    if reason := _why_unfit(found.received, found.refused, failures, policy.most_refused):
        raise _UnfitError(reason)


def _checked(portion: pl.DataFrame, batch: Batch, found: _Found) -> pl.DataFrame:
    typed = coerce(portion.with_row_index(ROW_NUMBER, offset=found.received + 1), missing_ok=True)
    checked = check_raw(typed.good, as_of=batch.received_at.date())
    found.received += portion.height
    found.refused += typed.refused + checked.refused
    found.failures += [typed.failures, checked.failures]
    return checked.good


def _counted(batch: Batch, found: _Found) -> Batch:
    return batch.model_copy(update={"rows_received": found.received, "rows_quarantined": found.refused})


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
    keep_refusals(context, batch_number, failures)


def _stop(context: Context, batch: Batch, reason: str) -> StoppedBatchError:
    context.ledger.save_batch(batch.model_copy(update={"status": BatchStatus.STOPPED, "stop_reason": reason}))
    log.warning("stopped", batch=batch.batch_number, reason=reason)
    return StoppedBatchError(batch.batch_number, reason)


def _raise_if_stopped(batch: Batch) -> None:
    if batch.status is BatchStatus.STOPPED:
        raise StoppedBatchError(batch.batch_number, batch.stop_reason or "no reason was recorded")
