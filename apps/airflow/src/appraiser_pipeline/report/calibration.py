"""Whether the interval holds the share of prices that it states, for cheap and for dear houses."""

from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from appraiser_pipeline.report.study import Study
from appraiser_pipeline.report.style import BLUE, DOLLARS, GREY, INK, ORANGE, PERCENT, picture, plain, subtitle

_BINS: Final = 10
_ROWS_PER_BIN: Final = 40
_Z: Final = 1.96


def draw(study: Study) -> Figure:
    """Coverage by deciles of the appraisal, each with its 95 % interval, and the line that is stated."""
    estimate, price = study.appraised.price_usd, study.price_usd
    inside = (price >= study.appraised.lower_usd) & (price <= study.appraised.upper_usd)
    width = (study.appraised.upper_usd - study.appraised.lower_usd) / estimate * 100
    bins = np.array_split(np.argsort(estimate, kind="stable"), max(1, min(_BINS, len(estimate) // _ROWS_PER_BIN)))
    middle = np.array([np.median(estimate[rows]) for rows in bins])
    share = np.array([inside[rows].mean() for rows in bins])
    low, high = _wilson(share, np.array([len(rows) for rows in bins]))
    stated = study.model.interval.coverage * 100

    figure = picture("How often the price lies inside the interval", height=6.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    above.axhline(stated, color=ORANGE, linewidth=1.6, label=f"stated, {stated:g} %")
    above.axhline(inside.mean() * 100, color=GREY, linewidth=1.2, linestyle="--",
                  label=f"over all test listings, {inside.mean() * 100:.1f} %")  # fmt: skip
    above.errorbar(middle, share * 100, yerr=np.abs(np.vstack([share - low, high - share])) * 100, fmt="o", color=BLUE,
                   capsize=3, label="a tenth of the listings, with its 95 % interval")  # fmt: skip
    above.set_ylabel("Prices inside [percent]")
    above.set_ylim(min(75.0, float(low.min()) * 100 - 3), 101)
    above.yaxis.set_major_formatter(PERCENT)
    above.legend(loc="lower left", frameon=False, labelcolor=INK, fontsize=9)
    subtitle(above, f"{study.title}, by appraised price")
    below.plot(middle, [np.median(width[rows]) for rows in bins], "o-", color=BLUE)
    below.set_ylabel("Median width\n[percent of the appraisal]")
    below.set_ylim(0)
    below.yaxis.set_major_formatter(PERCENT)
    below.set_xlabel("Appraisal [USD, logarithmic]")
    below.set_xscale("log")
    below.xaxis.set_major_formatter(DOLLARS)
    below.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    below.xaxis.set_minor_formatter(NullFormatter())
    for axes in (above, below):
        plain(axes)
    return figure


def _wilson(share: NDArray[np.float64], rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % interval of a share (Wilson, 1927), that stays within 0 and 1."""
    spread = _Z * np.sqrt(share * (1 - share) / rows + _Z**2 / (4 * rows**2))
    centre, scale = share + _Z**2 / (2 * rows), 1 + _Z**2 / rows
    return (centre - spread) / scale, (centre + spread) / scale
