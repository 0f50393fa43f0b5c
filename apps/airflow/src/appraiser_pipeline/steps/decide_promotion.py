"""Decide whether a challenger takes the champion's place, and say why."""

from collections.abc import Iterator, Mapping
from typing import Final

import structlog

from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError
from appraiser_pipeline.policy import PromotionPolicy
from appraiser_pipeline.standing import standing_decision
from appraiser_pipeline.wording import change, change_span, percent
from appraiser_schema import (
    Decision,
    DecisionKind,
    Evaluation,
    Outcome,
    Reason,
    ReasonPart,
    SegmentScore,
    utc_now,
)

log = structlog.get_logger()

_TOLD: Final = ("mae", "wider_market", "better_than_the_mean")
"""Rules that the summary of a promotion repeats; a rejection repeats those that were not passed."""


def decide_promotion(context: Context, batch_number: int) -> Decision:
    """Apply the promotion policy to the evaluation of the batch. A decision that stands is not made again.

    Where the champion is another one than was evaluated against, because a person has moved it, it is evaluated again.

    Raises:
        OrderError: The challenger was not evaluated.
    """
    if made := standing_decision(context, batch_number, DecisionKind.PROMOTION):
        return made
    evaluation = context.ledger.evaluation(batch_number)
    if evaluation is None:
        raise OrderError("decide_promotion", batch_number, "evaluation", "evaluate")
    if evaluation.champion_version != context.registry.champion():
        from appraiser_pipeline.steps.evaluate import evaluate  # noqa: PLC0415 - brings the model's libraries

        evaluation = evaluate(context, batch_number)
    settings = context.settings
    decision = judge(evaluation, settings.promotion_policy, dry_run=settings.dry_run)
    if settings.dry_run:
        decision = decision.model_copy(update={"summary": f"Dry run, nothing is moved. {decision.summary}"})
    log.info("decided", batch=batch_number, outcome=decision.outcome.value, summary=decision.summary)
    return context.ledger.save_decision(decision)


def judge(evaluation: Evaluation, policy: PromotionPolicy, *, dry_run: bool = False) -> Decision:
    """What a policy decides about an evaluation, at any time: nothing else is looked at.

    Args:
        evaluation: Challenger and champion on the same test rows.
        policy: The rules.
        dry_run: Whether it is only told what would be decided.
    """
    reasons = tuple(promotion_reasons(evaluation, policy))
    outcome = Outcome.PROMOTE if all(reason.passed for reason in reasons) else Outcome.REJECT
    return Decision(
        batch_number=evaluation.batch_number,
        kind=DecisionKind.PROMOTION,
        outcome=outcome,
        summary=_summary(evaluation, outcome, reasons, dry_run=dry_run),
        reasons=reasons,
        decided_at=utc_now(),
        snapshot_id=evaluation.snapshot_id,
        model_version=evaluation.challenger_version,
        champion_version=evaluation.champion_version,
        dry_run=dry_run,
    )


def promotion_reasons(evaluation: Evaluation, policy: PromotionPolicy) -> Iterator[Reason]:
    """Every rule of the policy; the comparison with a champion only where there is one.

    Figures and thresholds are in percent; of an error they are its change, so that a smaller one is below 0. Those of
    `engines_agree` are millionths of the price. A challenger that a person made the champion before it was decided on
    is not held against itself.
    """
    if _is_champion(evaluation):
        yield _serving_reason(evaluation)
        return
    if evaluation.champion is None:
        yield _useful_reason(evaluation)
    else:
        yield _mae_reason(evaluation, evaluation.champion, policy)
        yield _rmse_reason(evaluation.challenger, evaluation.champion, policy)
        yield from _segment_reasons(evaluation, policy)
    yield _coverage_reason(evaluation, policy)
    if evaluation.engine_difference is not None:
        yield _engine_reason(evaluation.engine_difference, evaluation.rows_test, policy)


def _is_champion(evaluation: Evaluation) -> bool:
    return evaluation.challenger_version == evaluation.champion_version


def _serving_reason(evaluation: Evaluation) -> Reason:
    text = f"Before it was decided on, somebody made version {evaluation.challenger_version} the champion; it stays."
    return Reason(rule="is_champion", passed=True, text=text)


def _coverage_reason(evaluation: Evaluation, policy: PromotionPolicy) -> Reason:
    """Too wide an interval is held against a challenger; it is no reason to have no model at all."""
    coverage, least, most = evaluation.challenger["coverage"], policy.least_coverage, policy.most_coverage
    wide_first = evaluation.champion is None and coverage > most
    inside = least <= coverage <= most or wide_first
    text = f"{coverage:.1f} % of the test prices lie inside the 90 % interval; "
    if wide_first:
        text += f"over {most:g} % it is wider than it needs to be, which is no reason to have no model"
    else:
        text += f"{least:g} to {most:g} % {'are allowed' if inside else 'would be allowed'}"
    return Reason(
        rule="coverage",
        passed=inside,
        figure=round(coverage, 4),
        threshold=least if coverage < least else most,
        text=f"{text}.",
    )


def _engine_reason(difference: float, rows: int, policy: PromotionPolicy) -> Reason:
    found, most = difference * 1e6, policy.most_engine_difference * 1e6
    engine = f"Over all {rows:,} test rows the engine for single houses"
    text = f"{engine} differs from the trees that were evaluated by up to {found:,.1f} millionths of the price"
    return Reason(
        rule="engines_agree",
        passed=difference <= policy.most_engine_difference,
        figure=round(found, 3),
        threshold=round(most, 3),
        text=f"{text}; {most:,.3g} are allowed."
        if found
        else f"{engine} gives exactly the prices of the trees that were evaluated.",
    )


def _useful_reason(evaluation: Evaluation) -> Reason:
    explained, champion = evaluation.challenger["r2"], evaluation.champion_version
    why = f"The champion, version {champion}, cannot be loaded by this code, so that no comparison is possible"
    return Reason(
        rule="better_than_the_mean",
        passed=explained > 0,
        figure=round(explained, 4),
        threshold=0,
        text=f"{why if champion else 'There is no champion to beat'}; R2 is {explained:.3f} on "
        f"{evaluation.rows_test:,} test rows, where always answering the mean price has 0.",
    )


def _mae_reason(evaluation: Evaluation, champion: Mapping[str, float], policy: PromotionPolicy) -> Reason:
    ours, theirs = evaluation.challenger["mae"], champion["mae"]
    moved, most = ours / theirs - 1, -policy.least_mae_gain
    enough = moved <= most
    span = evaluation.mae_change
    sure = f" (95 % bootstrap interval {change_span(*span)})" if span else ""
    doubt = ", which the interval leaves open" if span and span[0] <= most < span[1] else ""
    return Reason(
        rule="mae",
        passed=enough,
        figure=round(moved * 100, 2),
        threshold=round(most * 100, 4),
        interval=(round(span[0] * 100, 2), round(span[1] * 100, 2)) if span else None,
        text=f"On the same {evaluation.rows_test:,} test rows the mean absolute error is {ours:,.0f} USD against the "
        f"champion's {theirs:,.0f}: {change(moved)}{sure}, and it must be {change(most)}{doubt}.",
    )


def _rmse_reason(challenger: Mapping[str, float], champion: Mapping[str, float], policy: PromotionPolicy) -> Reason:
    loss = challenger["rmse"] / champion["rmse"] - 1
    return Reason(
        rule="rmse",
        passed=loss <= policy.most_rmse_loss,
        figure=round(loss * 100, 2),
        threshold=round(policy.most_rmse_loss * 100, 4),
        text=f"The root mean squared error is {challenger['rmse']:,.0f} USD against the champion's "
        f"{champion['rmse']:,.0f}: {change(loss)}, and it may be {change(policy.most_rmse_loss)}.",
    )


def _segment_reasons(evaluation: Evaluation, policy: PromotionPolicy) -> Iterator[Reason]:
    """Hold the parts of the market against the challenger, but not those that only look good for the champion.

    A champion that learned from low prices answers a low price to every house. Among houses that are cheap it is
    right more often than a model that knows the dear ones too, and among all houses it is of no use: to choose the
    rows by their price is to choose by the answer. So once the market has widened, by the policy's share of rows,
    parts by price and by batch (batches may be cut by price) are left out; states, that are known beforehand, stay.
    """
    share = evaluation.rows_beyond_champion / evaluation.rows_test
    if share <= policy.most_beyond or evaluation.champion_prices_usd is None:
        yield _segment_reason(evaluation.segments, policy)
        return
    low, high = evaluation.champion_prices_usd
    states = tuple(part for part in evaluation.segments if part.kind == "state")
    yield Reason(
        rule="wider_market",
        passed=True,
        figure=round(share * 100, 2),
        threshold=round(policy.most_beyond * 100, 4),
        text=f"The market has widened: {percent(share)} of the test rows lie outside the prices that the champion "
        f"learned from, {low:,.0f} to {high:,.0f} USD. So parts by price and by batch do not count, states do.",
        parts=_losses(tuple(part for part in evaluation.segments if part.kind != "state"), policy),
    )
    yield _segment_reason(states, policy)


def _segment_reason(segments: tuple[SegmentScore, ...], policy: PromotionPolicy) -> Reason:
    losses, most = _losses(segments, policy), policy.most_segment_loss
    if not losses:
        text = f"No part of the market that counts has {policy.least_segment:,} test rows."
        return Reason(rule="segments", passed=True, threshold=round(most * 100, 4), text=text)
    worst = losses[0]
    return Reason(
        rule="segments",
        passed=worst.figure <= worst.threshold,
        figure=worst.figure,
        threshold=worst.threshold,
        text=f"Of {len(losses)} parts of the market with {policy.least_segment:,} test rows or more, {worst.name} "
        f"fares worst: its mean absolute error is {change(worst.figure / 100)}, and it may be {change(most)}.",
        parts=losses,
    )


def _losses(segments: tuple[SegmentScore, ...], policy: PromotionPolicy) -> tuple[ReasonPart, ...]:
    """Change of the mean absolute error of each part that is large enough, in percent, the worst first."""
    parts = [
        ReasonPart(
            name=f"{part.kind.replace('_', ' ')} {part.name}",
            figure=round((part.challenger_mae / part.champion_mae - 1) * 100, 2),
            threshold=round(policy.most_segment_loss * 100, 4),
        )
        for part in segments
        if part.rows >= policy.least_segment and part.champion_mae
    ]
    return tuple(sorted(parts, key=lambda part: -part.figure))


def _summary(evaluation: Evaluation, outcome: Outcome, reasons: tuple[Reason, ...], *, dry_run: bool) -> str:
    version, champion = evaluation.challenger_version, evaluation.champion_version
    if _is_champion(evaluation):
        verdict, told = "is the champion already", list(reasons)
    elif outcome is Outcome.REJECT:
        verdict, told = ("would be" if dry_run else "is") + " rejected", [r for r in reasons if not r.passed]
    elif champion is None:
        verdict = ("would be" if dry_run else "is") + " the first champion"
        told = [r for r in reasons if r.rule != "engines_agree"]
    else:
        verdict = f"{'would replace' if dry_run else 'replaces'} version {champion}"
        told = [r for r in reasons if r.rule in _TOLD]
    return f"Version {version} {verdict}. " + " ".join(r.text for r in told)
