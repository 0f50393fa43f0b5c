"""Writes the files of a report."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from appraiser_pipeline.report import calibration, changes, features, predicted, states
from appraiser_pipeline.report.study import Study
from appraiser_pipeline.report.summary import in_words

FOLDER: Final = "report"
"""Where the files lie among those of a run."""

LAST: Final = "report.md"
"""Written last: where it is, the report is whole."""

type Draw = Callable[[Study], Figure]

_PICTURES: Final[tuple[tuple[str, str, Draw], ...]] = (
    ("predicted_against_actual.png", "appraisals against prices.", predicted.draw),
    ("residual_by_state.png", "which states are appraised too high or too low.", states.draw),
    ("interval_calibration.png", "how often the price lies inside the interval, by appraised price.", calibration.draw),
    ("what_moves_the_price.png", "SHAP values of a sample of test listings, by feature.", features.draw),
    (
        "changes_against_the_champion.png",
        "which features gained in importance, and which parts of the market moved.",
        changes.draw,
    ),
)


def write_report(study: Study, folder: Path) -> None:
    """Write the ratio study, the pictures and the report in words into a folder.

    Args:
        study: Both models on the test rows.
        folder: Where to; it is made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    study.table.write_csv(folder / "ratio_study.csv", float_precision=6)
    drawn: dict[str, str] = {}
    for name, what, draw in _PICTURES:
        if draw is changes.draw and study.champion is None:
            continue
        draw(study).savefig(folder / name)
        drawn[name] = what
    (folder / LAST).write_text(in_words(study, drawn), encoding="utf-8")
