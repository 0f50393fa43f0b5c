"""The report as figures, for the page: effects by feature and coverage by appraisal."""

from typing import Final

import numpy as np

from appraiser_pipeline.report.calibration import by_appraisal
from appraiser_pipeline.report.features import ranks
from appraiser_pipeline.report.study import Floats, Study
from appraiser_pipeline.report.style import LABELS
from appraiser_schema import FeatureEffect, ModelReport
from appraiser_schema.frames import to_columns

SPREAD: Final = 14
"""Features whose effects on single listings are kept, those that move prices most."""

POINTS: Final = 120
"""Listings of them: every second one of those that were explained shows the spread as well, in half the bytes."""


def record_of(study: Study) -> ModelReport:
    """Put a report into figures, some 40 kB as JSON."""
    before = study.champion_importance
    order = sorted(study.importance, key=lambda name: -study.importance[name])
    shown = np.linspace(0, len(study.effects) - 1, min(POINTS, len(study.effects))).astype(int)
    values = study.model.encoder.transform(to_columns(study.sample))
    names = list(study.model.encoder.names)
    return ModelReport(
        version=study.evaluation.challenger_version,
        champion_version=study.evaluation.champion_version if study.champion is not None else None,
        rows_test=study.test.height,
        rows_explained=len(study.effects),
        stated_coverage=round(study.model.interval.coverage * 100, 6),
        features=tuple(
            FeatureEffect(
                feature=name,
                label=LABELS.get(name, name),
                mean_percent=round(study.importance[name], 4),
                champion_mean_percent=round(before[name], 4) if name in before else None,
                effects_percent=_effects(study.effects[shown, names.index(name)]) if place < SPREAD else (),
                ranks=_ranks(values[:, names.index(name)], shown) if place < SPREAD else (),
            )
            for place, name in enumerate(order)
        ),
        coverage=tuple(by_appraisal(study)),
    )


def _effects(effects_log: Floats) -> tuple[float, ...]:
    return tuple(np.round(np.expm1(effects_log) * 100, 2).tolist())


def _ranks(values: np.ndarray[tuple[int], np.dtype[np.float32]], shown: np.ndarray) -> tuple[float | None, ...]:
    rank, known = ranks(values)
    return tuple(round(float(rank[i]), 3) if known[i] else None for i in shown)
