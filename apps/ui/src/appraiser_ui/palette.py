"""Colours of the charts. Each stands out against the light and the dark background alike (contrast of 3 or more)."""

from typing import Final

RAISES: Final = "#2f86c8"
"""Blue: raises the price, or promoted."""

LOWERS: Final = "#d9772b"
"""Orange: lowers the price, or rejected."""

NEUTRAL: Final = "#7b8794"
"""Grey: totals, guides, and what is not decided."""

INK: Final = "currentColor"
"""Whatever colour the page writes in, also after it has changed from light to dark."""
