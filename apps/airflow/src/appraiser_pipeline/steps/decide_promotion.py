"""Decide whether a challenger takes the champion's place, and say why."""

from collections.abc import Iterator, Mapping

import structlog

from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError
from appraiser_pipeline.policy import PromotionPolicy
from appraiser_schema import Decision, DecisionKind, Evaluation, Outcome, Reason, SegmentScore, utc_now

log = structlog.get_logger()


def decide_promotion(context: Context, batch_number: int) -> Decision:
    """Apply the promotion policy to the evaluation of the batch. A decision that was made stands.

    Raises:
        OrderError: The challenger was not evaluated.
    """
    if made := context.ledger.decision(batch_number, DecisionKind.PROMOTION):
        return made
    evaluation = context.ledger.evaluation(batch_number)
    if evaluation is None:
        raise OrderError("decide_promotion", batch_number, "evaluation", "evaluate")
    reasons = tuple(promotion_reasons(evaluation, context.settings.promotion_policy))
    outcome = Outcome.PROMOTE if all(reason.passed for reason in reasons) else Outcome.REJECT
    decision = Decision(
        batch_number=batch_number,
        kind=DecisionKind.PROMOTION,
        outcome=outcome,
        summary=_summary(evaluation, outcome, reasons),
        reasons=reasons,
        decided_at=utc_now(),
        snapshot_id=evaluation.snapshot_id,
        model_version=evaluation.challenger_version,
        champion_version=evaluation.champion_version,
    )
    log.info("decided", batch=batch_number, outcome=outcome.value, summary=decision.summary)
    return context.ledger.save_decision(decision)


def promotion_reasons(evaluation: Evaluation, policy: PromotionPolicy) -> Iterator[Reason]:
    """Every rule of the policy; the comparison with a champion only where there is one.

    Figures and thresholds are in percent; of an error they are its change, so that a smaller one is below 0.
    """
    yield _coverage_reason(evaluation.challenger, policy)
    if evaluation.champion is None:
        yield _useful_reason(evaluation)
        return
    yield _mae_reason(evaluation.challenger, evaluation.champion, policy)
    yield _rmse_reason(evaluation.challenger, evaluation.champion, policy)
    yield from _segment_reasons(evaluation, policy)


def _coverage_reason(challenger: Mapping[str, float], policy: PromotionPolicy) -> Reason:
    coverage = challenger["coverage"]
    low = coverage < policy.least_coverage
    inside = policy.least_coverage <= coverage <= policy.most_coverage
    return Reason(
        rule="coverage",
        passed=inside,
        figure=round(coverage, 4),
        threshold=policy.least_coverage if low else policy.most_coverage,
        text=f"{coverage:.1f} % of the test prices lie inside the interval; "
        f"{'' if inside else 'not '}between {policy.least_coverage:g} and {policy.most_coverage:g} %.",
    )


def _useful_reason(evaluation: Evaluation) -> Reason:
    explained, champion = evaluation.challenger["r2"], evaluation.champion_version
    why = f"The champion, version {champion}, was made by other feature code and can be used no more"
    return Reason(
        rule="better_than_the_mean",
        passed=explained > 0,
        figure=round(explained, 4),
        threshold=0,
        text=f"{why if champion else 'There is no champion to beat'}; R2 is {explained:.3f}, and the mean price has 0.",
    )


def _mae_reason(challenger: Mapping[str, float], champion: Mapping[str, float], policy: PromotionPolicy) -> Reason:
    gain = 1 - challenger["mae"] / champion["mae"]
    enough = gain >= policy.least_mae_gain
    return Reason(
        rule="mae",
        passed=enough,
        figure=round(-gain * 100, 2),
        threshold=-policy.least_mae_gain * 100,
        text=f"The mean absolute error is {challenger['mae']:,.0f} USD against the champion's "
        f"{champion['mae']:,.0f}: {_change(-gain)}, and it must be {policy.least_mae_gain:.0%} smaller.",
    )


def _rmse_reason(challenger: Mapping[str, float], champion: Mapping[str, float], policy: PromotionPolicy) -> Reason:
    loss = challenger["rmse"] / champion["rmse"] - 1
    return Reason(
        rule="rmse",
        passed=loss <= policy.most_rmse_loss,
        figure=round(loss * 100, 2),
        threshold=policy.most_rmse_loss * 100,
        text=f"The root mean squared error is {challenger['rmse']:,.0f} USD against the champion's "
        f"{champion['rmse']:,.0f}: {_change(loss)}, and it may be {policy.most_rmse_loss:.0%} larger.",
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
    yield Reason(
        rule="wider_market",
        passed=True,
        figure=round(share * 100, 2),
        threshold=policy.most_beyond * 100,
        text=f"{share:.0%} of the test rows lie outside the prices that the champion learned from, {low:,.0f} to "
        f"{high:,.0f} USD, so parts by price and by batch are not compared.",
    )
    yield _segment_reason(tuple(part for part in evaluation.segments if part.kind == "state"), policy)


def _segment_reason(segments: tuple[SegmentScore, ...], policy: PromotionPolicy) -> Reason:
    losses = {
        f"{part.kind.replace('_', ' ')} {part.name}": part.challenger_mae / part.champion_mae - 1
        for part in segments
        if part.rows >= policy.least_segment and part.champion_mae
    }
    if not losses:
        text = f"No part of the market that is compared has {policy.least_segment:,} test rows."
        return Reason(rule="segments", passed=True, threshold=policy.most_segment_loss * 100, text=text)
    worst = max(losses, key=lambda name: losses[name])
    return Reason(
        rule="segments",
        passed=losses[worst] <= policy.most_segment_loss,
        figure=round(losses[worst] * 100, 2),
        threshold=policy.most_segment_loss * 100,
        text=f"Of {len(losses)} parts of the market, {worst} fares worst: its mean absolute error is "
        f"{_change(losses[worst])}, and it may be {policy.most_segment_loss:.0%} larger.",
    )


def _change(share: float) -> str:
    return f"{abs(share):.1%} {'larger' if share > 0 else 'smaller'}"


def _summary(evaluation: Evaluation, outcome: Outcome, reasons: tuple[Reason, ...]) -> str:
    version = evaluation.challenger_version
    if outcome is Outcome.REJECT:
        return f"Version {version} is rejected. " + " ".join(r.text for r in reasons if not r.passed)
    if evaluation.champion_version is None:
        return f"Version {version} is the first champion. " + " ".join(r.text for r in reasons)
    decisive = " ".join(r.text for r in reasons if r.rule in {"mae", "wider_market", "better_than_the_mean"})
    return f"Version {version} replaces version {evaluation.champion_version}. {decisive}"
