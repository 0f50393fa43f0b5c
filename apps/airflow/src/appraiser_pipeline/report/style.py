"""How the pictures look: colours that people with any colour vision tell apart, and one layout."""

from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from appraiser_features import FEATURES

BLUE: Final = "#2f86c8"
ORANGE: Final = "#d9772b"
GREY: Final = "#7b8794"
INK: Final = "#4a5560"
"""The colours of the pages: blue is better, orange is worse. They differ in lightness and stay apart for the
colour-blind; what they say is also said by position or in words."""

SEQUENTIAL: Final = "cividis"
"""Nunez, Anderton and Renslow, "Optimizing colormaps with consideration for color vision deficiency" (2018)."""

DIVERGING: Final = "PuOr"
"""Purple to orange, safe for the colour-blind (Brewer and Harrower, ColorBrewer, 2003)."""

LABELS: Final = {feature.name: feature.label for feature in FEATURES}

DOLLARS: Final = FuncFormatter(lambda value, _: _dollars(value))
PERCENT: Final = FuncFormatter(lambda value, _: f"{value:g} %")
SIGNED_PERCENT: Final = FuncFormatter(
    lambda value, _: f"{value:+g} %".replace("-", "\N{MINUS SIGN}") if value else "0 %"
)


def picture(title: str, *, width: float = 8, height: float = 6) -> Figure:
    """An empty picture with its heading. Sizes in inches."""
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained", facecolor="white")
    figure.suptitle(title, fontsize=14, fontweight="bold", x=0.01, ha="left")
    return figure


def subtitle(axes: Axes, text: str) -> None:
    """Say above the axes what is drawn."""
    axes.set_title(text, loc="left", fontsize=10, color=INK)


def plain(axes: Axes, *, grid: str = "both") -> None:
    """Take away what draws the eye from the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, axis=grid, color="#e3e7eb", linewidth=0.8)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def _dollars(value: float) -> str:
    if value >= 1e6:
        return f"${value / 1e6:g}M"
    return f"${value / 1e3:g}k" if value >= 1e3 else f"${value:g}"
