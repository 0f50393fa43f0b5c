"""What the pipeline keeps for people: refused rows, drift, how two versions did and how they work."""

from collections.abc import Sequence

import polars as pl
from tiny_champion import build_market

from appraiser_model import Bundle, measure, segment_scores
from appraiser_pipeline.batch_report import shifts_of
from appraiser_pipeline.policy import TrainingPolicy
from appraiser_pipeline.report.record import record_of
from appraiser_pipeline.report.study import Study
from appraiser_pipeline.steps.decide_training import drift_reasons
from appraiser_schema import BatchReport, Decision, DecisionKind, Evaluation, Outcome, Refusal, utc_now
from appraiser_schema.frames import to_columns
from appraiser_store import Ledger


def keep_reports(ledger: Ledger, bundles: Sequence[Bundle]) -> None:
    """Keep the reports of batches 0 and 1, and of the versions 1 and 2 that were trained after them."""
    old, new = (build_market(seed=number, batch_number=number) for number in range(2))
    reasons = tuple(drift_reasons(old, new, TrainingPolicy()))
    ledger.save_decision(
        Decision(
            batch_number=1,
            kind=DecisionKind.TRAINING,
            outcome=Outcome.TRAIN,
            summary="A new model is trained.",
            reasons=reasons,
            decided_at=utc_now(),
            champion_version=1,
        )
    )
    refusals = (
        Refusal(stage="clean", column="price", rule="at least 10000.0", rows=30, examples=("1.0", "99.0")),
        Refusal(stage="read", column="bed", rule="a number", rows=4, examples=("three", "`|`", None)),
    )
    ledger.save_batch_report(BatchReport(batch_number=0, refusals=refusals))
    ledger.save_batch_report(
        BatchReport(
            batch_number=1,
            refusals=refusals,
            champion_version=1,
            rows_before=old.height,
            rows_after=new.height,
            shifts=tuple(shifts_of(old, new, reasons)),
        )
    )
    test = build_market(seed=7, rows=1200).filter(pl.col("split") == "test")
    for number, bundle in enumerate(bundles):
        champion = bundles[number - 1] if number else None
        study = _study(number, bundle, champion, test)
        ledger.save_evaluation(study.evaluation)
        ledger.save_model_report(record_of(study))


def _study(number: int, bundle: Bundle, champion: Bundle | None, test: pl.DataFrame) -> Study:
    columns, price = to_columns(test), test["price"]
    ours = bundle.model.appraise(columns)
    theirs = None if champion is None else champion.model.appraise(columns)
    evaluation = Evaluation(
        batch_number=number,
        snapshot_id=number + 1,
        evaluated_at=utc_now(),
        rows_test=test.height,
        challenger_version=number + 1,
        champion_version=number or None,
        challenger=measure(price, ours),
        champion=None if theirs is None else measure(price, theirs),
        segments=segment_scores(test, ours, None if theirs is None else theirs.price_usd),
    )
    other = None if champion is None else champion.model
    return Study(evaluation, test, bundle.model, ours, other, theirs, least_segment=20)
