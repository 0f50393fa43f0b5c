"""Colours of the charts. Each stands out against the light and the dark background alike (contrast of 3 or more)."""

from typing import Any, Final

RAISES: Final = "#2f86c8"
"""Blue: raises the price, or promoted."""

LOWERS: Final = "#d9772b"
"""Orange: lowers the price, or rejected."""

NEUTRAL: Final = "#7b8794"
"""Grey: totals, guides, and what is not decided."""

RAMP: Final = ("#5e6bc7", "#2f94a8", "#2fb07f", "#8fce4a", "#e8d71e")
"""From low to high: the hues of viridis (Smith and van der Walt, 2015), without its darkest, which dark pages swallow.
Lightness rises evenly, so that it is read without colour vision too."""

INK: Final = "currentColor"
"""Whatever colour the page writes in, also after it has changed from light to dark."""

WORDS: Final[dict[str, Any]] = {"labelColor": INK, "titleColor": INK, "labelOpacity": 0.8, "titleOpacity": 0.8}
"""How axes are written: the theme's own grey is too faint on a light background."""
