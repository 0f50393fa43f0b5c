"""Decide whether a batch calls for a new model, and say why."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl
import structlog
from numpy.typing import NDArray

from appraiser_model import BundleError, Card, CardMismatchError
from appraiser_model.bootstrap import median_interval
from appraiser_pipeline.batch_report import keep_drift
from appraiser_pipeline.context import Context
from appraiser_pipeline.drift import CATEGORIES, NUMBERS, shift
from appraiser_pipeline.errors import OrderError
from appraiser_pipeline.policy import TrainingPolicy
from appraiser_pipeline.standing import standing_decision
from appraiser_pipeline.wording import listed, percent
from appraiser_schema import (
    LISTING_COLUMNS,
    Batch,
    BatchStatus,
    Decision,
    DecisionKind,
    Outcome,
    Reason,
    ReasonPart,
    Split,
    utc_now,
)
from appraiser_schema.frames import to_columns
from appraiser_store import Table

log = structlog.get_logger()


def decide_training(context: Context, batch_number: int) -> Decision:
    """Hold the new listings against those that the champion learned from; one rule that speaks for training is enough.

    Test rows are not looked at. A decision that stands is not made again, also where retraining is asked for: that
    is a reason for the next batch.

    Raises:
        OrderError: The batch was not cleaned.
    """
    asked = context.settings.retrain_reason
    if made := standing_decision(context, batch_number, DecisionKind.TRAINING):
        if asked and made.outcome is Outcome.SKIP:
            log.warning("asked_too_late", batch=batch_number, reason=asked, decided_at=made.decided_at.isoformat())
        return made
    batch = context.batch(batch_number, "decide_training")
    if batch.status is not BatchStatus.CLEANED:
        raise OrderError("decide_training", batch_number, "clean rows", "clean_and_split")
    champion = context.registry.champion()
    reasons = tuple(_reasons(context, batch, champion))
    outcome = Outcome.TRAIN if any(reason.passed for reason in reasons) else Outcome.SKIP
    decision = Decision(
        batch_number=batch_number,
        kind=DecisionKind.TRAINING,
        outcome=outcome,
        summary=_summary(outcome, reasons, dry_run=context.settings.dry_run),
        reasons=reasons,
        decided_at=utc_now(),
        snapshot_id=batch.clean_snapshot_id,
        champion_version=champion,
        dry_run=context.settings.dry_run,
    )
    log.info("decided", batch=batch_number, outcome=outcome.value, summary=decision.summary)
    return context.ledger.save_decision(decision)


def _reasons(context: Context, batch: Batch, champion: int | None) -> Iterator[Reason]:
    policy = context.settings.training_policy
    trainable = _rows_until(context, batch.batch_number)
    if trainable < policy.least_rows:
        yield Reason(
            rule="least_rows",
            passed=False,
            figure=trainable,
            threshold=policy.least_rows,
            text=f"There are {trainable:,} training rows so far; a model needs {policy.least_rows:,}.",
        )
        return
    if asked := context.settings.retrain_reason:
        yield Reason(rule="asked_for", passed=True, text=f"Retraining was asked for: {asked.rstrip('.')}.")
    if champion is None:
        yield Reason(rule="first_model", passed=True, text="There is no champion yet.")
        return
    new = _learnable(context, [batch.batch_number], batch.clean_snapshot_id, "price", *LISTING_COLUMNS)
    if new.is_empty():
        yield Reason(rule="new_rows", passed=False, figure=0, threshold=1, text="The batch brought no new listing.")
        return
    try:
        card = context.registry.card(champion)
    except CardMismatchError as error:
        yield _unusable(champion, str(error))
        return
    old = _learnable(context, card.batches, batch.clean_snapshot_id, *NUMBERS, *CATEGORIES)
    drifts = tuple(drift_reasons(old, new, policy, context.settings.seed))
    keep_drift(context, batch.batch_number, champion, (old, new), drifts)
    yield from drifts
    yield new_category_reason(old, new, policy)
    yield _error_reason(context, champion, card, new, policy)
    yield _growth_reason(trainable, card, policy)


def drift_reasons(old: pl.DataFrame, new: pl.DataFrame, policy: TrainingPolicy, seed: int = 0) -> Iterator[Reason]:
    """The price on its own, and every feature, of which the one that moved most beyond its threshold is told."""
    shifts = {name: shift(old[name], new[name], seed) for name in (*NUMBERS, *CATEGORIES)}
    parts = {
        name: ReasonPart(
            name=name, figure=round(moved.index, 4), threshold=round(max(policy.most_drift, moved.by_chance), 4)
        )
        for name, moved in shifts.items()
    }
    price = parts.pop("price")
    yield _drift_reason("target_drift", "the price", price, (), policy)
    ordered = tuple(sorted(parts.values(), key=lambda part: part.threshold - part.figure))
    yield _drift_reason(
        "feature_drift",
        f"{ordered[0].name.replace('_', ' ')}, the feature that moved most,",
        ordered[0],
        ordered,
        policy,
    )


def _drift_reason(
    rule: str, what: str, worst: ReasonPart, parts: tuple[ReasonPart, ...], policy: TrainingPolicy
) -> Reason:
    over = worst.figure > worst.threshold
    limit = (
        f"{policy.most_drift:g}"
        if worst.threshold == policy.most_drift
        else f"{worst.threshold:.2f}, which so few rows reach by chance"
    )
    return Reason(
        rule=rule,
        passed=over,
        figure=worst.figure,
        threshold=worst.threshold,
        text=f"The stability index of {what} is {worst.figure:.2f}, {'over' if over else 'within'} {limit}.",
        parts=parts,
    )


def new_category_reason(old: pl.DataFrame, new: pl.DataFrame, policy: TrainingPolicy) -> Reason:
    """States and statuses that the champion has never seen, in enough rows to learn from."""
    parts: list[ReasonPart] = []
    for name in CATEGORIES:
        counts = new.filter(~pl.col(name).is_in(old[name].unique().to_list())).group_by(name).len()
        parts += [
            ReasonPart(name=f"{name} {value}", figure=rows, threshold=policy.least_category)
            for value, rows in counts.iter_rows()
        ]
    parts.sort(key=lambda part: (-part.figure, part.name))
    found = [f"{part.name} ({part.figure:,.0f} rows)" for part in parts if part.figure >= part.threshold]
    text = (
        f"The champion has never seen the {listed(found)}."
        if found
        else f"No state or status is new in {policy.least_category} rows or more."
    )
    return Reason(
        rule="new_category", passed=bool(found), figure=len(found), threshold=1, text=text, parts=tuple(parts)
    )


def _error_reason(context: Context, champion: int, card: Card, new: pl.DataFrame, policy: TrainingPolicy) -> Reason:
    try:
        bundle = context.registry.load(champion)
    except BundleError as error:
        return _unusable(champion, error.problem)
    price = new["price"].to_numpy()
    errors = np.abs(bundle.model.appraise(to_columns(new)).price_usd - price) / price * 100
    return error_reason(errors, _test_error(context, champion, card), policy, context.settings.seed)


def _unusable(champion: int, problem: str) -> Reason:
    text = f"The champion, version {champion}, cannot be loaded by this code: {problem.rstrip('.')}."
    return Reason(rule="champion_unusable", passed=True, text=text)


def error_reason(
    errors_percent: NDArray[np.float64], test_error_percent: float, policy: TrainingPolicy, seed: int = 0
) -> Reason:
    """The champion's median error on the new rows over that on its test rows.

    The rule speaks where the whole bootstrap interval of the growth lies above the threshold: a figure over it that a
    few rows give by chance calls for nothing. The error on the test rows is taken as it is; every batch has added to
    them.

    Args:
        errors_percent: Absolute percentage errors on the new rows, shape (n,), n > 0. [percent]
        test_error_percent: Median absolute percentage error on the champion's test rows, > 0; on its validation
            listings where there is none. [percent]
        policy: What it is held against.
        seed: Of the bootstrap.
    """
    now, rows = float(np.median(errors_percent)), len(errors_percent)
    low, high = (bound / test_error_percent for bound in median_interval(errors_percent, seed))
    growth, most = now / test_error_percent, policy.most_error_growth
    over = low > most and rows >= policy.least_new_rows
    if rows < policy.least_new_rows:
        verdict = f"too few rows to tell, of which {policy.least_new_rows} are needed"
    elif over:
        verdict = f"all of it over {most:g}"
    else:
        verdict = f"not all of it over {most:g}" if high > most else f"within {most:g}"
    return Reason(
        rule="champion_error",
        passed=over,
        figure=round(growth, 4),
        threshold=most,
        interval=(round(low, 4), round(high, 4)),
        text=f"The champion's median error is {now:.1f} % on the {rows:,} new rows and was {test_error_percent:.1f} % "
        f"on its test rows: {growth:.2f} times as large (95 % bootstrap interval {low:.2f} to {high:.2f} times), "
        f"{verdict}.",
    )


def _test_error(context: Context, champion: int, card: Card) -> float:
    """On its test rows; on its validation listings where it was never evaluated."""
    metrics: Mapping[str, float] = context.registry.version(champion).metrics or card.metrics
    return metrics["mdape"] or np.finfo(float).tiny


def _growth_reason(trainable: int, card: Card, policy: TrainingPolicy) -> Reason:
    growth = trainable / card.rows_train - 1
    over = growth > policy.least_growth
    return Reason(
        rule="growth",
        passed=over,
        figure=round(growth * 100, 1),
        threshold=round(policy.least_growth * 100, 2),
        text=f"There are {percent(growth, 0)} more training rows than the champion had, "
        f"{'over' if over else 'within'} {percent(policy.least_growth)}.",
    )


def _rows_until(context: Context, batch_number: int) -> int:
    return sum(b.rows_train or 0 for b in context.ledger.batches() if b.batch_number <= batch_number)


def _learnable(context: Context, batches: Sequence[int], snapshot_id: int | None, *columns: str) -> pl.DataFrame:
    """Some columns of the rows that a model may learn from: all but the test rows, of which none is read."""
    parts = [
        context.lake.read(Table.CLEAN, columns=columns, batches=batches, split=split, snapshot_id=snapshot_id)
        for split in (Split.TRAIN, Split.VALIDATION)
    ]
    return pl.concat(parts)


def _summary(outcome: Outcome, reasons: tuple[Reason, ...], *, dry_run: bool) -> str:
    decisive = [reason.text for reason in reasons if reason.passed is (outcome is Outcome.TRAIN)]
    verdict = "A new model is trained." if outcome is Outcome.TRAIN else "No new model is needed."
    return " ".join([*(["Dry run."] if dry_run else []), verdict, *decisive])
