"""What changed against the champion: features that gained, and parts of the market that moved."""

from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from appraiser_pipeline.report.study import Study
from appraiser_pipeline.report.style import (
    BLUE,
    GREY,
    INK,
    LABELS,
    ORANGE,
    PERCENT,
    SIGNED_PERCENT,
    picture,
    plain,
    subtitle,
)
from appraiser_schema import SegmentScore

_SHOWN: Final = 12
_SEGMENTS: Final = 16


def draw(study: Study) -> Figure:
    """Two panels, of features and of parts of the market. Ask only where there is a champion."""
    evaluation = study.evaluation
    figure = picture(
        f"Version {evaluation.challenger_version} against the champion, version {evaluation.champion_version}",
        width=13, height=6.4,
    )  # fmt: skip
    features, segments = figure.subplots(1, 2)
    _features(features, study)
    _segments(segments, moved(study))
    subtitle(features, f"Which features gained:\nmean effect on {study.sample.height} test listings")
    subtitle(segments, f"Which parts of the market moved:\nthose with {study.least_segment:,} test listings or more")
    return figure


def gained(study: Study) -> list[tuple[str, float, float]]:
    """Feature, the champion's and the challenger's mean effect [percent], the largest change first."""
    before, now = study.champion_importance, study.importance
    pairs = [(name, before.get(name, 0.0), effect) for name, effect in now.items()]
    return sorted(pairs, key=lambda pair: -abs(pair[2] - pair[1]))


def moved(study: Study) -> list[tuple[SegmentScore, float]]:
    """Parts of the market that are large enough, and the change of their mean absolute error [percent], worst first."""
    changes = [
        (part, (part.challenger_mae / part.champion_mae - 1) * 100)
        for part in study.evaluation.segments
        if part.champion_mae and part.rows >= study.least_segment
    ]
    return sorted(changes, key=lambda change: -change[1])


def _features(axes: Axes, study: Study) -> None:
    shown = sorted(gained(study)[:_SHOWN], key=lambda pair: pair[2])
    for place, (_, before, now) in enumerate(shown):
        axes.plot([before, now], [place, place], color=BLUE if now > before else ORANGE, linewidth=2, zorder=2)
    axes.scatter([before for _, before, _ in shown], range(len(shown)), s=22, color=GREY, zorder=3, label="champion")
    axes.scatter([now for _, _, now in shown], range(len(shown)), s=30, color=BLUE, zorder=3, label="new version")
    axes.set_yticks(range(len(shown)), [LABELS.get(name, name) for name, _, _ in shown])
    axes.set_xlabel("Mean effect on the appraisal [percent]")
    axes.set_xlim(0)
    axes.xaxis.set_major_formatter(PERCENT)
    axes.legend(loc="lower right", frameon=False, labelcolor=INK)
    plain(axes, grid="x")


def _segments(axes: Axes, changes: list[tuple[SegmentScore, float]]) -> None:
    half = _SEGMENTS // 2
    shown = changes if len(changes) <= _SEGMENTS else [*changes[:half], *changes[-half:]]
    shown = shown[::-1]
    axes.axvline(0, color=GREY, linewidth=1)
    axes.barh(range(len(shown)), [c for _, c in shown], color=[ORANGE if c > 0 else BLUE for _, c in shown], height=0.7)
    names = [f"{part.kind.replace('_', ' ')} {part.name} ({part.rows:,})" for part, _ in shown]
    axes.set_yticks(range(len(shown)), names)
    axes.set_xlabel("Change of the mean absolute error [percent], left is better")
    axes.xaxis.set_major_formatter(SIGNED_PERCENT)
    plain(axes, grid="x")
    if not shown:
        axes.text(0.5, 0.5, "no part is large enough", transform=axes.transAxes, ha="center", color=INK)
    elif len(changes) > len(shown):
        axes.axhline(half - 0.5, color=GREY, linewidth=0.8, linestyle=":")
        axes.text(1, half - 0.5, f"{len(changes) - len(shown)} between", transform=axes.get_yaxis_transform(),
                  ha="right", va="bottom", fontsize=8, color=INK)  # fmt: skip
