"""Residuals by state, each state a tile at about its place on the map."""

from typing import Final

from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from appraiser_pipeline.report.study import Study
from appraiser_pipeline.report.style import DIVERGING, INK, SIGNED_PERCENT, picture, subtitle
from appraiser_schema import STATE_CODES

_GRID: Final = """
AK .. .. .. .. .. .. .. .. .. ME
.. .. .. .. .. .. .. .. .. VT NH
WA ID MT ND MN IL WI MI NY RI MA
OR NV WY SD IA IN OH PA NJ CT ..
CA UT CO NE MO KY WV VA MD DE ..
.. AZ NM KS AR TN NC SC DC .. ..
.. .. .. OK LA MS AL GA .. .. ..
HI GU .. TX .. .. .. .. FL PR VI
"""
"""The tile grid of National Public Radio (2015), with the territories beside Hawaii and Florida."""

_LIMIT_PERCENT: Final = 15.0
"""Residuals beyond it have the last colour: small states scatter."""

_FEW: Final = 30
"""Test listings below which a median says little; such a state is drawn pale."""


def draw(study: Study) -> Figure:
    """Median of (appraisal - price) / price by state: orange is appraised too low, purple too high."""
    figure = picture("Appraised too high or too low, by state", width=9, height=6.6)
    axes = figure.subplots()
    norm, colours = Normalize(-_LIMIT_PERCENT, _LIMIT_PERCENT), colormaps[DIVERGING]
    found = {row["name"]: row for row in study.table.filter(kind="state").to_dicts()}
    names = {code: name for name, code in STATE_CODES.items()}
    for code, x, y in _tiles():
        row = found.get(names[code])
        residual = (row["median_ratio"] - 1) * 100 if row else 0.0
        few = row is None or row["rows"] < _FEW
        face = colours(norm(residual), alpha=0.35 if few else 1.0) if row else "#f1f3f5"
        axes.add_patch(Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, facecolor=face, edgecolor="none"))
        ink = "white" if row and not few and abs(residual) > 0.6 * _LIMIT_PERCENT else "#1f2933"
        axes.text(x, y + 0.2, code, ha="center", va="center", fontsize=9, fontweight="bold", color=ink if row else INK)
        if row:
            shown = f"{residual:+.{0 if abs(residual) >= 100 else 1}f} %".replace("-", "\N{MINUS SIGN}")
            axes.text(x, y - 0.07, shown, ha="center", va="center", fontsize=8, color=ink)
            axes.text(x, y - 0.32, f"n {row['rows']:,}", ha="center", va="center", fontsize=6.5, color=ink)
    axes.set(xlim=(-0.6, 10.6), ylim=(-7.6, 0.6), aspect="equal")
    axes.axis("off")
    subtitle(
        axes,
        f"{study.title}. Median of (appraisal less price) over price;\n"
        f"pale: fewer than {_FEW} test listings, of which a median says little; grey: none.",
    )
    bar = figure.colorbar(ScalarMappable(norm, colours), ax=axes, orientation="horizontal", shrink=0.55, extend="both")
    bar.set_label("Median residual [percent of the price]: below 0 appraised too low, above 0 too high")
    bar.ax.xaxis.set_major_formatter(SIGNED_PERCENT)
    return figure


def _tiles() -> list[tuple[str, int, int]]:
    rows = [line.split() for line in _GRID.strip().splitlines()]
    return [(code, x, -y) for y, row in enumerate(rows) for x, code in enumerate(row) if code != ".."]
