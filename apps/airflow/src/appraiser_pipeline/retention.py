"""Cleans up by the written retention policy, and tells what would go before anything does."""

import datetime as dt
from collections.abc import Iterator

import structlog
from pydantic import Field

from appraiser_pipeline import mlflow_trash
from appraiser_pipeline.context import Context
from appraiser_schema import Record, utc_now
from appraiser_store import Table
from appraiser_store.expiring import expirable, expire, predictions_before
from appraiser_store.lock import STEPS, exclusive

log = structlog.get_logger()


class Cleaned(Record):
    """One kind of thing, and how much of it went, or would go."""

    what: str
    count: int = Field(ge=0)
    size_bytes: int | None = Field(default=None, description="Room that it gives back; None where that is not known.")
    why: str = Field(description="The rule, and what stays.")


class Cleaning(Record):
    """What came of cleaning up."""

    dry_run: bool = Field(description="Whether it was only told, and nothing went.")
    parts: tuple[Cleaned, ...]


def clean(context: Context, *, dry_run: bool = False) -> Cleaning:
    """Remove what the policy lets go: snapshots that nothing names, old appraisals, what was deleted in MLflow.

    Everything that is named is asked for first; where registry or ledger do not answer, nothing goes. No step of the
    pipeline runs meanwhile.

    Args:
        context: Stores and policy.
        dry_run: Whether it is only told what would go.
    """
    context.settings.lake.mkdir(parents=True, exist_ok=True)
    with exclusive(context.settings.lake / STEPS):
        named = named_snapshots(context)
        parts = []
        for part in (
            *(_snapshots(context, table, named if table is Table.CLEAN else set(), dry_run=dry_run) for table in Table),
            _predictions(context, dry_run=dry_run),
            _trash(context, dry_run=dry_run),
        ):
            log.info("cleaned_up", dry_run=dry_run, what=part.what, count=part.count, size_bytes=part.size_bytes)
            parts.append(part)
    return Cleaning(dry_run=dry_run, parts=tuple(parts))


def named_snapshots(context: Context) -> set[int]:
    """Snapshots of clean.listings that are kept for good: those of batches, decisions, evaluations and versions.

    So `models reproduce` goes on working for every version, and each step for every batch.
    """
    ledger = context.ledger
    named = {batch.clean_snapshot_id for batch in ledger.batches()}
    named |= {decision.snapshot_id for decision in ledger.decisions()}
    named |= {evaluation.snapshot_id for evaluation in ledger.evaluations()}
    named |= {model.snapshot_id for model in context.registry.versions()}
    return {snapshot_id for snapshot_id in named if snapshot_id is not None}


def in_words(found: Cleaning) -> str:
    """What went or would go, for people."""
    return "\n".join(_lines(found))


def _lines(found: Cleaning) -> Iterator[str]:
    verb = "would go" if found.dry_run else "went"
    for part in found.parts:
        room = "" if part.size_bytes is None else f", {part.size_bytes / 1e6:,.1f} MB"
        yield f"{part.what}: {part.count:,} {verb}{room}. {part.why}"
    if found.dry_run:
        yield "Nothing was removed: this was a dry run."


def _snapshots(context: Context, table: Table, named: set[int], *, dry_run: bool) -> Cleaned:
    days = context.settings.retention_policy.snapshot_days
    before = utc_now() - dt.timedelta(days=days)
    found = (expirable if dry_run else expire)(context.lake, table, named, before)
    words = "that no batch, decision, evaluation or version names " if table is Table.CLEAN else ""
    return Cleaned(
        what=f"Snapshots of {table.value}",
        count=len(found.snapshots),
        size_bytes=sum(found.files.values()),
        why=f"Those {words}go after {days} days, the latest never; {found.kept:,} stay. No row of today is touched.",
    )


def _predictions(context: Context, *, dry_run: bool) -> Cleaned:
    days, what = context.settings.retention_policy.prediction_days, "Appraisals in the ledger"
    if days is None:
        return Cleaned(what=what, count=0, why="All are kept: APPRAISER_RETENTION_POLICY__PREDICTION_DAYS is not set.")
    before = utc_now() - dt.timedelta(days=days)
    ledger = context.ledger
    count = predictions_before(ledger, before) if dry_run else ledger.delete_predictions_before(before)
    return Cleaned(what=what, count=count, why=f"They go after {days} days, and what is known of the sales with them.")


def _trash(context: Context, *, dry_run: bool) -> Cleaned:
    settings = context.settings
    days = settings.retention_policy.mlflow_days
    found = mlflow_trash.look(settings, dt.timedelta(days=days))
    if found.problem is None and found.names and not dry_run:
        mlflow_trash.remove(settings, dt.timedelta(days=days))
    why = found.problem or f"What a person deleted in MLflow can be restored for {days} days; no version is among it."
    return Cleaned(what="Deleted runs and models in MLflow", count=0 if found.problem else len(found.names), why=why)
