"""Whether the interval holds the share of prices that it states, for cheap and for dear houses."""

from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from appraiser_pipeline.report.study import Study
from appraiser_pipeline.report.style import BLUE, DOLLARS, GREY, INK, ORANGE, PERCENT, picture, plain, subtitle
from appraiser_schema import CoverageBin

_BINS: Final = 10
_ROWS_PER_BIN: Final = 40
_Z: Final = 1.96


def draw(study: Study) -> Figure:
    """Coverage by deciles of the appraisal, each with its 95 % interval, and the line that is stated."""
    bins = by_appraisal(study)
    middle, share, low, high, width = (
        np.array([getattr(part, name) for part in bins]) for name in ("appraised_usd", "inside", "low", "high", "width")
    )
    overall = _inside(study).mean() * 100
    stated = study.model.interval.coverage * 100

    figure = picture("How often the price lies inside the interval", height=6.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    above.axhline(stated, color=ORANGE, linewidth=1.6, label=f"stated, {stated:g} %")
    above.axhline(overall, color=GREY, linewidth=1.2, linestyle="--",
                  label=f"over all test listings, {overall:.1f} %")  # fmt: skip
    above.errorbar(middle, share, yerr=np.abs(np.vstack([share - low, high - share])), fmt="o", color=BLUE,
                   capsize=3, label="a tenth of the listings, with its 95 % interval")  # fmt: skip
    above.set_ylabel("Prices inside [percent]")
    above.set_ylim(min(75.0, float(low.min()) - 3), 101)
    above.yaxis.set_major_formatter(PERCENT)
    above.legend(loc="lower left", frameon=False, labelcolor=INK, fontsize=9)
    subtitle(above, f"{study.title}, by appraised price")
    below.plot(middle, width, "o-", color=BLUE)
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


def by_appraisal(study: Study) -> list[CoverageBin]:
    """Coverage and width by tenths of the appraisal, the cheapest first; fewer where a tenth would be too few rows."""
    estimate, inside = study.appraised.price_usd, _inside(study)
    width = (study.appraised.upper_usd - study.appraised.lower_usd) / estimate * 100
    bins = np.array_split(np.argsort(estimate, kind="stable"), max(1, min(_BINS, len(estimate) // _ROWS_PER_BIN)))
    share = np.array([inside[rows].mean() for rows in bins])
    low, high = _wilson(share, np.array([len(rows) for rows in bins]))
    return [
        CoverageBin(
            rows=len(rows),
            appraised_usd=round(float(np.median(estimate[rows])), 2),
            inside=round(float(share[i]) * 100, 3),
            low=round(float(low[i]) * 100, 3),
            high=round(float(high[i]) * 100, 3),
            width=round(float(np.median(width[rows])), 3),
        )
        for i, rows in enumerate(bins)
    ]


def _inside(study: Study) -> NDArray[np.bool_]:
    price = study.price_usd
    inside: NDArray[np.bool_] = (price >= study.appraised.lower_usd) & (price <= study.appraised.upper_usd)
    return inside


def _wilson(share: NDArray[np.float64], rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % interval of a share (Wilson, 1927), that stays within 0 and 1."""
    spread = _Z * np.sqrt(share * (1 - share) / rows + _Z**2 / (4 * rows**2))
    centre, scale = share + _Z**2 / (2 * rows), 1 + _Z**2 / rows
    return (centre - spread) / scale, (centre + spread) / scale
