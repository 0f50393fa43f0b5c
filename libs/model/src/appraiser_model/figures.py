"""What people are told of a model's quality: which of its measures, under which name, with how many digits."""

from typing import Final

FIGURES: Final = {
    "mdape": ("Median error", "{:.1f} %"),
    "ppe10": ("Within 10 % of the price", "{:.1f} %"),
    "mae": ("Mean absolute error", "{:,.0f} USD"),
    "rmse": ("Root mean squared error", "{:,.0f} USD"),
    "r2": ("R²", "{:.3f}"),
    "median_ratio": ("Median ratio of appraisal to price", "{:.3f}"),
    "cod": ("Coefficient of dispersion (COD)", "{:.1f} %"),
    "prd": ("Price-related differential (PRD)", "{:.3f}"),
    "prb": ("Price-related bias (PRB)", "{:.3f}"),
    "coverage": ("Prices inside the interval", "{:.1f} %"),
    "interval_width": ("Median width of the interval, of the appraisal", "{:.1f} %"),
}
"""By the name that `measure` gives: in words, and how it is written. In the order in which they are read."""
