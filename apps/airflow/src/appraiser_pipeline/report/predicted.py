"""Predicted against actual prices."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from appraiser_pipeline.report.study import Study
from appraiser_pipeline.report.style import DOLLARS, INK, ORANGE, SEQUENTIAL, picture, plain, subtitle

_CELLS = 55


def draw(study: Study) -> Figure:
    """Cells of listings on logarithmic axes; on the line an appraisal meets the price."""
    price, estimate = study.price_usd, study.appraised.price_usd
    low, high = (float(bound) for bound in np.quantile(np.concatenate([price, estimate]), [0, 1]))
    low, high = low * 0.9, high * 1.1
    figure = picture("Predicted against actual price", width=7.6, height=6.6)
    axes = figure.subplots()
    cells = axes.hexbin(
        price, estimate, xscale="log", yscale="log", gridsize=_CELLS, bins="log", mincnt=1, cmap=SEQUENTIAL,
        extent=(np.log10(low), np.log10(high), np.log10(low), np.log10(high)), linewidths=0.2,
    )  # fmt: skip
    axes.plot([low, high], [low, high], color=ORANGE, linewidth=1.6, label="appraisal = price")
    for factor in (0.9, 1.1):
        axes.plot(
            [low, high], [low * factor, high * factor], color=ORANGE, linewidth=0.9, linestyle="--",
            label="10 % off" if factor < 1 else None,
        )  # fmt: skip
    axes.set(xlim=(low, high), ylim=(low, high), xlabel="Price [USD, logarithmic]")
    axes.set_ylabel("Appraisal [USD, logarithmic]")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(DOLLARS)
        axis.set_minor_formatter(NullFormatter())
    axes.set_aspect("equal")
    plain(axes)
    figures = study.evaluation.challenger
    subtitle(
        axes,
        f"{study.title}. Median error {figures['mdape']:.1f} %, {figures['ppe10']:.1f} % within 10 % of the price.",
    )
    axes.legend(loc="upper left", frameon=False, labelcolor=INK)
    bar = figure.colorbar(cells, ax=axes, shrink=0.8)
    bar.set_label("Listings in a cell [count, logarithmic]")
    bar.ax.yaxis.set_major_formatter("{x:g}")
    return figure
