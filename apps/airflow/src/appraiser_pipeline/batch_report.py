"""Keeps what people want to see of a batch: what was refused by which rule, and how it differs from the champion's."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import polars as pl
import structlog

from appraiser_pipeline.context import Context
from appraiser_pipeline.drift import CATEGORIES, NUMBERS, edges_of, number_shares
from appraiser_schema import BatchReport, ColumnShift, Reason, Refusal
from appraiser_schema.reports import EXAMPLES

CATEGORIES_SHOWN: Final = 12
"""Categories that are told by name, the commonest; the others are one bin."""

EXAMPLE_LENGTH: Final = 80
"""Longer values are cut."""

log = structlog.get_logger()


def keep_refusals(context: Context, batch_number: int, failures: pl.DataFrame) -> None:
    """Keep the refused rows of a batch by rule, with examples of the values.

    What cannot be kept is an error in the log and costs nothing else.

    Args:
        context: The ledger.
        batch_number: Which batch.
        failures: Every failure of the batch so far, columns as in `FAILURE_SCHEMA`.
    """
    _change(context, batch_number, lambda report: report.model_copy(update={"refusals": refusals_of(failures)}))


def keep_drift(
    context: Context,
    batch_number: int,
    champion: int,
    sides: tuple[pl.DataFrame, pl.DataFrame],
    reasons: Sequence[Reason],
) -> None:
    """Keep how a batch is spread over each column, beside the listings that the champion learned from.

    What cannot be kept is an error in the log and costs nothing else.

    Args:
        context: The ledger.
        batch_number: Which batch.
        champion: Version of the champion.
        sides: What it learned from, and what a model may learn from the batch.
        reasons: As `drift_reasons` gave them for these listings.
    """
    old, new = sides
    _change(
        context,
        batch_number,
        lambda report: report.model_copy(
            update={
                "champion_version": champion,
                "rows_before": old.height,
                "rows_after": new.height,
                "shifts": tuple(shifts_of(old, new, reasons)),
            }
        ),
    )


def refusals_of(failures: pl.DataFrame) -> tuple[Refusal, ...]:
    """Refused rows by rule, the rule that most rows broke first."""
    groups = (
        failures.group_by("stage", "column", "rule")
        .agg(pl.col("row_number").n_unique().alias("rows"), pl.col("value").value_counts(sort=True).head(50))
        .sort("rows", "column", "rule", descending=[True, False, False])
    )
    return tuple(
        Refusal(
            stage=group["stage"],
            column=group["column"],
            rule=group["rule"],
            rows=group["rows"],
            examples=_examples(group["value"]),
        )
        for group in groups.to_dicts()
    )


def shifts_of(old: pl.DataFrame, new: pl.DataFrame, reasons: Sequence[Reason]) -> Iterator[ColumnShift]:
    """Each column that drift is looked for in, the price first."""
    price, features = reasons
    figures = {part.name: (part.figure, part.threshold) for part in features.parts}
    figures["price"] = (price.figure or 0.0, price.threshold or 0.0)
    for name in NUMBERS:
        edges = edges_of(old[name])
        yield ColumnShift(
            column=name,
            index=figures[name][0],
            threshold=figures[name][1],
            edges=tuple(edges.tolist()),
            before=number_shares(old[name], edges),
            after=number_shares(new[name], edges),
        )
    for name in CATEGORIES:
        values = _commonest(old[name], new[name])
        yield ColumnShift(
            column=name,
            index=figures[name][0],
            threshold=figures[name][1],
            values=values,
            before=_category_shares(old[name], values),
            after=_category_shares(new[name], values),
        )


def _change(context: Context, batch_number: int, change: Callable[[BatchReport], BatchReport]) -> None:
    try:
        report = context.ledger.batch_report(batch_number) or BatchReport(batch_number=batch_number)
        context.ledger.save_batch_report(change(report))
    except Exception:  # what people look at must not cost a batch
        log.exception("batch_report_failed", batch=batch_number)


def _examples(counted: Sequence[dict[str, object]]) -> tuple[str | None, ...]:
    """Different values, the commonest first, ties by the alphabet, so that a rerun says the same."""
    ordered = sorted(counted, key=lambda pair: (-int(str(pair["count"])), str(pair["value"] or "")))
    return tuple(None if pair["value"] is None else str(pair["value"])[:EXAMPLE_LENGTH] for pair in ordered[:EXAMPLES])


def _commonest(old: pl.Series, new: pl.Series) -> tuple[str, ...]:
    """The commonest values by the larger of both shares, so that a new category is seen."""
    shares: dict[str, float] = {}
    for series in (old, new):
        for value, count in series.drop_nulls().value_counts().iter_rows():
            shares[value] = max(shares.get(value, 0.0), count / series.len())
    return tuple(sorted(shares, key=lambda value: (-shares[value], value))[:CATEGORIES_SHOWN])


def _category_shares(series: pl.Series, values: Sequence[str]) -> tuple[float, ...]:
    counts = dict(series.drop_nulls().value_counts().iter_rows())
    named, rows = [counts.get(value, 0) for value in values], max(1, series.len())
    others = sum(counts.values()) - sum(named)
    return tuple(count / rows for count in (*named, others, series.null_count()))
