"""Which features move the price, and which way: a summary of SHAP values."""

from typing import Final

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from numpy.typing import NDArray

from appraiser_pipeline.report.study import Study
from appraiser_pipeline.report.style import GREY, LABELS, SEQUENTIAL, SIGNED_PERCENT, picture, plain, subtitle
from appraiser_schema.frames import to_columns

_SHOWN: Final = 14


def draw(study: Study) -> Figure:
    """One point per listing and feature: where it lies is the effect, its colour how high the feature's value is."""
    names, effects = study.model.encoder.names, study.effects
    values = study.model.encoder.transform(to_columns(study.sample))
    order = np.argsort([-study.importance[name] for name in names])[:_SHOWN]
    figure = picture("What moves the price", width=8.6, height=6.8)
    axes = figure.subplots()
    axes.axvline(0, color=GREY, linewidth=1)
    rng = np.random.default_rng(0)
    for place, feature in enumerate(order):
        rank, known = ranks(values[:, feature])
        effect = np.expm1(effects[:, feature]) * 100
        height = -place + _spread(effect, rng)
        axes.scatter(effect[~known], height[~known], s=9, color="#b5bdc5", linewidths=0, zorder=2)
        axes.scatter(effect[known], height[known], s=11, c=rank[known], cmap=SEQUENTIAL, vmin=0, vmax=1, linewidths=0,
                     zorder=3)  # fmt: skip
    axes.set_yticks(-np.arange(len(order)), [LABELS.get(names[i], names[i]) for i in order])
    # Beyond these lies one effect in five hundred; it would press the others together.
    low, high = np.quantile(np.expm1(effects[:, order]) * 100, [0.002, 0.998])
    axes.set_xlim(float(low) * 1.1, float(high) * 1.1)
    axes.set_xlabel("Effect on the appraisal [percent]")
    axes.xaxis.set_major_formatter(SIGNED_PERCENT)
    plain(axes, grid="x")
    subtitle(
        axes,
        f"Version {study.evaluation.challenger_version}: SHAP values of {len(effects)} test listings;\n"
        "the features with the largest mean effect, grey where the value is unknown.",
    )
    bar = figure.colorbar(ScalarMappable(cmap=colormaps[SEQUENTIAL]), ax=axes, shrink=0.6, ticks=[0.03, 0.97])
    bar.ax.set_yticklabels(["low", "high"])
    bar.set_label("Value of the feature [rank among the listings]")
    return figure


def ranks(values: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Rank of each value between 0 and 1, equal values alike, and whether it is known."""
    known = ~np.isnan(values)
    ordered = np.sort(values[known])
    middle = (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2
    return middle / max(1, len(ordered)), known


def _spread(effect: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Heights that part points with about the same effect, the wider the more there are."""
    cells = np.histogram_bin_edges(effect, 40)
    cell = np.clip(np.digitize(effect, cells) - 1, 0, 39)
    crowd = np.bincount(cell, minlength=40)
    return rng.uniform(-1, 1, len(effect)) * 0.4 * np.sqrt(crowd / crowd.max())[cell]
