"""Decide whether a batch calls for a new model, and say why."""

from collections.abc import Iterator, Mapping

import polars as pl
import structlog

from appraiser_model import BundleMismatchError, Card
from appraiser_pipeline.context import Context
from appraiser_pipeline.drift import CATEGORIES, NUMBERS, population_stability
from appraiser_pipeline.errors import OrderError
from appraiser_pipeline.policy import TrainingPolicy
from appraiser_schema import Batch, BatchStatus, Decision, DecisionKind, Outcome, Reason, Split, utc_now
from appraiser_schema.frames import to_columns
from appraiser_store import Table

log = structlog.get_logger()


def decide_training(context: Context, batch_number: int) -> Decision:
    """Hold the new listings against those that the champion learned from; one rule that speaks for training is enough.

    Test rows are not looked at. A decision that was made stands.

    Raises:
        OrderError: The batch was not cleaned.
    """
    if made := context.ledger.decision(batch_number, DecisionKind.TRAINING):
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
        summary=_summary(outcome, reasons),
        reasons=reasons,
        decided_at=utc_now(),
        snapshot_id=batch.clean_snapshot_id,
        champion_version=champion,
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
    if champion is None:
        yield Reason(rule="first_model", passed=True, text="There is no champion yet.")
        return
    new = _learnable(context, [batch.batch_number], batch.clean_snapshot_id)
    if new.is_empty():
        yield Reason(rule="new_rows", passed=False, figure=0, threshold=1, text="The batch brought no new listing.")
        return
    card = context.registry.card(champion)
    old = _learnable(context, card.batches, batch.clean_snapshot_id)
    yield from drift_reasons(old, new, policy)
    yield new_category_reason(old, new, policy)
    yield _error_reason(context, champion, card, new, policy)
    yield _growth_reason(trainable, card, policy)


def drift_reasons(old: pl.DataFrame, new: pl.DataFrame, policy: TrainingPolicy) -> Iterator[Reason]:
    """The price on its own, and of the features the one that moved most."""
    index = {name: population_stability(old[name], new[name]) for name in (*NUMBERS, *CATEGORIES)}
    price = index.pop("price")
    yield _drift_reason("target_drift", "the price", price, policy)
    worst = max(index, key=lambda name: index[name])
    yield _drift_reason("feature_drift", f"{worst}, the feature that moved most,", index[worst], policy)


def _drift_reason(rule: str, what: str, figure: float, policy: TrainingPolicy) -> Reason:
    over = figure > policy.most_drift
    return Reason(
        rule=rule,
        passed=over,
        figure=round(figure, 4),
        threshold=policy.most_drift,
        text=f"The stability index of {what} is {figure:.2f}, {'over' if over else 'within'} {policy.most_drift:g}.",
    )


def new_category_reason(old: pl.DataFrame, new: pl.DataFrame, policy: TrainingPolicy) -> Reason:
    """States and statuses that the champion has never seen, in enough rows to learn from."""
    found = []
    for name in CATEGORIES:
        counts = new.filter(~pl.col(name).is_in(old[name].unique().to_list())).group_by(name).len().sort(name)
        found += [f"{value} ({rows:,} rows)" for value, rows in counts.iter_rows() if rows >= policy.least_segment]
    text = (
        f"The champion has never seen {', '.join(found)}."
        if found
        else f"No state or status is new in {policy.least_segment} rows or more."
    )
    return Reason(rule="new_category", passed=bool(found), figure=len(found), threshold=1, text=text)


def _error_reason(context: Context, champion: int, card: Card, new: pl.DataFrame, policy: TrainingPolicy) -> Reason:
    try:
        bundle = context.registry.load(champion)
    except BundleMismatchError:
        text = f"The champion, version {champion}, was made by other feature code and can be used no more."
        return Reason(rule="champion_unusable", passed=True, text=text)
    price = new["price"].to_numpy()
    errors = abs(bundle.model.appraise(to_columns(new)).price_usd - price) / price * 100
    now, before = float(pl.Series(errors).median()), _test_error(context, champion, card)  # type: ignore[arg-type]
    growth = now / before if before else float("inf")
    over = growth > policy.most_error_growth
    return Reason(
        rule="champion_error",
        passed=over,
        figure=round(growth, 4),
        threshold=policy.most_error_growth,
        text=f"The champion's median error is {now:.1f} % on the new rows and was {before:.1f} % on its test rows: "
        f"{growth:.2f} times, {'over' if over else 'within'} {policy.most_error_growth:g}.",
    )


def _test_error(context: Context, champion: int, card: Card) -> float:
    metrics: Mapping[str, float] = context.registry.version(champion).metrics or card.metrics
    return metrics["mdape"]


def _growth_reason(trainable: int, card: Card, policy: TrainingPolicy) -> Reason:
    growth = trainable / card.rows_train - 1
    over = growth > policy.least_growth
    return Reason(
        rule="growth",
        passed=over,
        figure=round(growth * 100, 1),
        threshold=policy.least_growth * 100,
        text=f"There are {growth:.0%} more training rows than the champion had, "
        f"{'over' if over else 'within'} {policy.least_growth:.0%}.",
    )


def _rows_until(context: Context, batch_number: int) -> int:
    return sum(b.rows_train or 0 for b in context.ledger.batches() if b.batch_number <= batch_number)


def _learnable(context: Context, batches: list[int] | tuple[int, ...], snapshot_id: int | None) -> pl.DataFrame:
    """Rows that a model may learn from: all but the test rows."""
    rows = context.lake.read(Table.CLEAN, batches=list(batches), snapshot_id=snapshot_id)
    return rows.filter(pl.col("split") != Split.TEST.value)


def _summary(outcome: Outcome, reasons: tuple[Reason, ...]) -> str:
    decisive = [reason.text for reason in reasons if reason.passed is (outcome is Outcome.TRAIN)]
    if outcome is Outcome.TRAIN:
        return "A new model is trained. " + " ".join(decisive)
    return "No new model is needed. " + " ".join(decisive)
