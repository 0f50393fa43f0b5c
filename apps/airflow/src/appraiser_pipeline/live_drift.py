"""Holds the houses that people asked about against those that the champion learned from, and asks for retraining."""

import datetime as dt
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Final

import numpy as np
import structlog
from pydantic import Field

from appraiser_model import CardMismatchError
from appraiser_model.inputs import CATEGORIES, NUMBERS, Inputs
from appraiser_pipeline.context import Context
from appraiser_pipeline.drift import shift_of_counts
from appraiser_schema import DecisionKind, Prediction, PredictionKind, Reason, ReasonPart, Record, utc_now

PAGE: Final = 1_000
MOST: Final = 200_000
"""Appraisals that are looked at, the latest: chance then gives an index under 0.001, and it takes ten seconds."""

_ASKED: Final = {PredictionKind.SINGLE: "asked about one by one", PredictionKind.BATCH: "asked about in tables"}
_REASON_LENGTH: Final = 480

log = structlog.get_logger()

type Counts = Mapping[str, tuple[int, ...]]


class LiveDrift(Record):
    """What a look at the appraisals has shown."""

    champion_version: int | None
    appraisals: dict[PredictionKind, int] = Field(description="Of the champion, in the window, by how they were asked.")
    reasons: tuple[Reason, ...] = Field(description="One per kind that there are enough of; passed where it has moved.")
    retrain_reason: str = Field(description="Why retraining is asked for; empty where it is not.")
    summary: str


def live_drift(context: Context) -> LiveDrift:
    """Look at the champion's latest appraisals in the ledger. Nothing is written.

    The index is the one by which the pipeline decides about training and which the service tells as a metric; the
    bins are those that the champion's card has of its training listings.
    """
    policy = context.settings.monitoring_policy
    champion = context.registry.champion()
    if champion is None:
        return _quiet(None, {}, (), "There is no champion yet.")
    try:
        card = context.registry.card(champion)
    except CardMismatchError as error:
        return _quiet(champion, {}, (), f"The champion, version {champion}, cannot be used by this code: {error}")
    if card.inputs is None:
        return _quiet(champion, {}, (), f"The card of version {champion} does not tell what its listings looked like.")
    counted = _counted(context, champion, card.inputs)
    appraisals = {kind: max((sum(bins) for bins in counts.values()), default=0) for kind, counts in counted.items()}
    reasons = tuple(
        _reason(context, kind, card.inputs, counts, card.rows_train)
        for kind, counts in counted.items()
        if appraisals[kind] >= policy.least_predictions
    )
    return _judged(context, champion, appraisals, reasons)


def _judged(
    context: Context, champion: int, appraisals: dict[PredictionKind, int], reasons: tuple[Reason, ...]
) -> LiveDrift:
    policy = context.settings.monitoring_policy
    told = " ".join(reason.text for reason in reasons)
    few = [kind for kind in PredictionKind if appraisals[kind] < policy.least_predictions]
    if few:
        words = " and ".join(f"{appraisals[kind]:,} {_ASKED[kind]}" for kind in few)
        told = f"{told} Too few to tell in {policy.window_days} days: {words}.".strip()
    rules = {_rule(kind) for kind in PredictionKind if kind is PredictionKind.SINGLE or policy.tables_ask}
    moved = [reason for reason in reasons if reason.passed and reason.rule in rules]
    if not moved:
        return _quiet(champion, appraisals, reasons, told)
    if (before := _asked_before(context)) is not None:
        return _quiet(champion, appraisals, reasons, f"{told} Retraining was asked for on {before:%Y-%m-%d} already.")
    why = f"the houses asked about are others than version {champion} learned from. {moved[0].text}"[:_REASON_LENGTH]
    return LiveDrift(
        champion_version=champion, appraisals=appraisals, reasons=reasons, retrain_reason=why, summary=told
    )


def _quiet(
    champion: int | None, appraisals: dict[PredictionKind, int], reasons: tuple[Reason, ...], summary: str
) -> LiveDrift:
    return LiveDrift(
        champion_version=champion, appraisals=appraisals, reasons=reasons, retrain_reason="", summary=summary
    )


def _rule(kind: PredictionKind) -> str:
    return f"live_drift_{kind.value}"


def _reason(context: Context, kind: PredictionKind, inputs: Inputs, counts: Counts, rows: int) -> Reason:
    policy = context.settings.monitoring_policy
    parts = []
    for name in (*NUMBERS, *CATEGORIES):
        shares = (inputs.numbers.get(name) or inputs.categories[name]).shares
        learned = np.rint(np.asarray(shares) * rows).astype(np.int64)
        moved = shift_of_counts(learned, np.asarray(counts[name]), context.settings.seed)
        limit = max(policy.most_live_drift, moved.by_chance)
        parts.append(ReasonPart(name=name, figure=round(moved.index, 4), threshold=round(limit, 4)))
    parts.sort(key=lambda part: part.threshold - part.figure)
    worst, number = parts[0], max(sum(bins) for bins in counts.values())
    over = worst.figure > worst.threshold
    return Reason(
        rule=_rule(kind),
        passed=over,
        figure=worst.figure,
        threshold=worst.threshold,
        text=f"Among {number:,} houses {_ASKED[kind]} in {policy.window_days} days, {worst.name.replace('_', ' ')} "
        f"moved most: its stability index is {worst.figure:.2f}, {'over' if over else 'within'} {worst.threshold:.3g}.",
        parts=tuple(parts),
    )


def _asked_before(context: Context) -> dt.datetime | None:
    """When retraining was last asked for and decided, where that is not long ago."""
    since = utc_now() - dt.timedelta(days=context.settings.monitoring_policy.days_between_requests)
    asked = (
        decision.decided_at
        for decision in context.ledger.decisions(DecisionKind.TRAINING)
        if any(reason.rule == "asked_for" for reason in decision.reasons)
    )
    return max((at for at in asked if at >= since), default=None)


def _counted(context: Context, champion: int, inputs: Inputs) -> dict[PredictionKind, Counts]:
    """The latest appraisals by kind, field and bin."""
    none = {name: (0,) * len(bins) for name, bins in inputs.count(()).items()}
    counted: dict[PredictionKind, Counts] = dict.fromkeys(PredictionKind, none)
    for page in _pages(context, champion):
        for kind in PredictionKind:
            listings = [_listing(prediction) for prediction in page if prediction.kind is kind]
            if listings:
                found = inputs.count(listings)
                counted[kind] = {
                    name: tuple(a + b for a, b in zip(bins, found[name], strict=True))
                    for name, bins in counted[kind].items()
                }
    return counted


def _pages(context: Context, champion: int) -> Iterator[list[Prediction]]:
    """The champion's appraisals of the window, day by day from now back, as many as count."""
    before, left = utc_now() + dt.timedelta(seconds=1), MOST
    for _ in range(context.settings.monitoring_policy.window_days):
        since, last = before - dt.timedelta(days=1), None
        while left > 0:
            page = context.ledger.predictions(
                model_version=champion, since=since, before=before, after=last, limit=PAGE
            )
            if not page:
                break
            yield page
            last, left = page[-1], left - len(page)
        before = since


def _listing(prediction: Prediction) -> SimpleNamespace:
    """Its fields as attributes; what was not told is unknown."""
    return SimpleNamespace(**{name: prediction.listing.get(name) for name in (*NUMBERS, *CATEGORIES)})
