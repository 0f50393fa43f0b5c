"""Score challenger and champion on the same test rows, which neither has seen."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import structlog

from appraiser_model import Appraised, BundleError, ValuationModel, measure, segment_scores
from appraiser_model.agreement import largest_difference
from appraiser_model.bootstrap import mean_difference
from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError
from appraiser_pipeline.model_card import keep_card
from appraiser_pipeline.standing import own_version, standing_decision, version_of
from appraiser_schema import DecisionKind, Evaluation, Split, utc_now
from appraiser_schema.frames import to_columns
from appraiser_store import Table

log = structlog.get_logger()


def evaluate(context: Context, batch_number: int) -> Evaluation:
    """Appraise the test rows of every batch up to this one with both models, and store how they did.

    The test rows are chosen by their own hash, so that no model ever trained on one. An evaluation that was decided on
    stands: later the champion may be this very model. Until then it is made again where a person has moved the
    champion, or the model was trained again. Once it is stored, its report and the version's card in words are kept
    in MLflow; what fails there is an error in the log and costs nothing else.

    Raises:
        OrderError: No model that this code can use was trained for the batch, or it was not cleaned.
    """
    made = context.ledger.evaluation(batch_number)
    if made and _is_outdated(context, made):
        made = None
    scores = None
    if made is None:
        scores = _score(context, batch_number)
        made = _compare(scores, context.settings.seed)
        context.ledger.save_evaluation(made)
        log.info("evaluated", batch=batch_number, version=made.challenger_version, mdape=made.challenger["mdape"])
    context.registry.set_metrics(made.challenger_version, made.challenger)
    keep_card(context, made.challenger_version, batch_number)
    _report(context, made, scores)
    return made


@dataclass(frozen=True, eq=False)
class _Scores:
    """Both models on the test rows up to a batch; without a champion, or one that can be used, the last two are None.

    Attributes:
        versions: Of the challenger and the champion.
        snapshot_id: Where the test rows come from.
    """

    batch_number: int
    snapshot_id: int
    versions: tuple[int, int | None]
    test: pl.DataFrame
    columns: Mapping[str, Any]
    model: ValuationModel
    appraised: Appraised
    champion: ValuationModel | None
    champion_appraised: Appraised | None


def _is_outdated(context: Context, made: Evaluation) -> bool:
    if standing_decision(context, made.batch_number, DecisionKind.PROMOTION) is not None:
        return False
    batch = context.batch(made.batch_number, "evaluate")
    now = version_of(context, batch), context.registry.champion()
    return (made.challenger_version, made.champion_version) != now


def _score(context: Context, batch_number: int, versions: tuple[int, int | None] | None = None) -> _Scores:
    """Appraise with both models; with the present champion, unless the versions are given."""
    batch = context.batch(batch_number, "evaluate")
    challenger = versions[0] if versions else own_version(context, batch)
    model = None if challenger is None else _usable(context, challenger)
    if challenger is None or model is None or batch.clean_snapshot_id is None:
        raise OrderError("evaluate", batch_number, "model that this code can use", "train_model")
    champion = versions[1] if versions else context.registry.champion()
    test = context.lake.read(
        Table.CLEAN, batches=range(batch_number + 1), split=Split.TEST, snapshot_id=batch.clean_snapshot_id
    )
    columns = to_columns(test)
    theirs = None if champion is None else _usable(context, champion)
    return _Scores(
        batch_number=batch_number,
        snapshot_id=batch.clean_snapshot_id,
        versions=(challenger, champion),
        test=test,
        columns=columns,
        model=model,
        appraised=model.appraise(columns),
        champion=theirs,
        champion_appraised=None if theirs is None else theirs.appraise(columns),
    )


def _compare(scores: _Scores, seed: int) -> Evaluation:
    price, ours, theirs = scores.test["price"].to_numpy(), scores.appraised, scores.champion_appraised
    evaluation = Evaluation(
        batch_number=scores.batch_number,
        snapshot_id=scores.snapshot_id,
        evaluated_at=utc_now(),
        rows_test=scores.test.height,
        challenger_version=scores.versions[0],
        champion_version=scores.versions[1],
        challenger=measure(price, ours),
        champion=None,
        segments=segment_scores(scores.test, ours),
        engine_difference=largest_difference(scores.model, scores.columns),
    )
    if scores.champion is None or theirs is None:
        return evaluation
    low, high = scores.champion.domain.price_usd
    difference = mean_difference(np.abs(ours.price_usd - price), np.abs(theirs.price_usd - price), seed)
    return evaluation.model_copy(
        update={
            "champion": measure(price, theirs),
            "champion_prices_usd": (low, high),
            "rows_beyond_champion": int(((price < low) | (price > high)).sum()),
            "segments": segment_scores(scores.test, ours, theirs.price_usd),
            "mae_difference_usd": difference.usd,
            "mae_change": difference.share,
        }
    )


def _usable(context: Context, version: int) -> ValuationModel | None:
    """The model of a version; None where it cannot be loaded, and so can appraise nothing.

    Another version of the code made it, or its files are damaged. A registry that does not answer is an error instead.
    """
    try:
        return context.registry.load(version).model
    except BundleError as error:
        log.warning("version_unusable", version=version, problem=error.problem)
        return None


def _report(context: Context, evaluation: Evaluation, scores: _Scores | None) -> None:
    """Keep the report, as figures and with the run, unless it is there. Whatever fails here, the evaluation stands."""
    version = evaluation.challenger_version
    try:
        # matplotlib takes a second to import, and a step that runs again needs none of it.
        from appraiser_pipeline.report.record import record_of  # noqa: PLC0415
        from appraiser_pipeline.report.study import Study  # noqa: PLC0415
        from appraiser_pipeline.report.write import FOLDER, LAST, write_report  # noqa: PLC0415

        if scores is None:
            written = context.registry.has_file(version, f"{FOLDER}/{LAST}")
            if written and context.ledger.model_report(version) is not None:
                return
            scores = _score(context, evaluation.batch_number, (version, evaluation.champion_version))
        study = Study(
            evaluation=evaluation,
            test=scores.test,
            model=scores.model,
            appraised=scores.appraised,
            champion=scores.champion,
            champion_appraised=scores.champion_appraised,
            least_segment=context.settings.promotion_policy.least_segment,
        )
        context.ledger.save_model_report(record_of(study))
        with tempfile.TemporaryDirectory() as scratch:
            write_report(study, Path(scratch) / FOLDER)
            context.registry.keep_files(version, Path(scratch))
    except Exception:  # a picture must not cost a decision
        log.exception("report_failed", version=version, batch=evaluation.batch_number)
