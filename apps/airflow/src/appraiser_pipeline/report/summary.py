"""The report in words and tables, as Markdown."""

from typing import Final

from appraiser_model.figures import FIGURES
from appraiser_pipeline.report.changes import gained, moved
from appraiser_pipeline.report.study import Study
from appraiser_pipeline.report.style import LABELS

_SHOWN: Final = 6


def in_words(study: Study, pictures: dict[str, str]) -> str:
    """The whole report.

    Args:
        study: Both models on the test rows.
        pictures: File name and what it shows.
    """
    evaluation = study.evaluation
    lines = [
        f"# Version {evaluation.challenger_version} on {evaluation.rows_test:,} test listings",
        "",
        f"Batches 0 to {evaluation.batch_number}, snapshot {evaluation.snapshot_id}; no model learned from them.",
        "",
        *_overall(study),
        "",
        *_changes(study),
        "## Files",
        "",
        "- `ratio_study.csv`: every figure for all test listings and by batch, state and price band.",
        *[f"- `{name}`: {what}" for name, what in pictures.items()],
    ]
    return "\n".join(lines) + "\n"


def _overall(study: Study) -> list[str]:
    ours, theirs = study.evaluation.challenger, study.evaluation.champion
    version = study.evaluation.champion_version
    head = ["| figure | this version |", "|---|--:|"]
    if theirs:
        head = [f"| figure | this version | champion, version {version} |", "|---|--:|--:|"]
    rows = [
        f"| {label} | {form.format(ours[name])} |" + (f" {form.format(theirs[name])} |" if theirs else "")
        for name, (label, form) in FIGURES.items()
        if name in ours
    ]
    return [*head, *rows]


def _changes(study: Study) -> list[str]:
    if study.champion is None:
        return []
    lines = ["## What changed against the champion", ""]
    if span := study.evaluation.mae_difference_usd:
        low, high = (f"{bound:,.0f}" for bound in span)
        lines += [f"Mean absolute error less the champion's: {low} to {high} USD (95 % bootstrap interval).", ""]
    lines += ["| feature | mean effect before | now |", "|---|--:|--:|"]
    lines += [f"| {LABELS.get(name, name)} | {old:.1f} % | {new:.1f} % |" for name, old, new in gained(study)[:_SHOWN]]
    parts = moved(study)
    ends = parts if len(parts) <= 2 * _SHOWN else [*parts[:_SHOWN], *parts[-_SHOWN:]]
    lines += ["", "| part of the market | test listings | change of the mean absolute error |", "|---|--:|--:|"]
    lines += [f"| {p.kind.replace('_', ' ')} {p.name} | {p.rows:,} | {change:+.1f} % |" for p, change in ends]
    return [*lines, ""]
