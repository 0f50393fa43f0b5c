"""The test figures of a model: what each is called, means, and which way is better."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from appraiser_ui.figures import DASH


class Better(StrEnum):
    """Which way a figure improves."""

    LOW = "lower is better"
    HIGH = "higher is better"
    NEAR = "closest to its target is better"


@dataclass(frozen=True, slots=True)
class Metric:
    """One test figure.

    Attributes:
        name: Key in `ModelVersion.metrics`.
        short: Heading of a column.
        long: What it is called in full.
        meaning: What it says, in plain words.
        better: Which way it improves.
        unit: `USD`, `%` or nothing.
        decimals: How many are shown.
    """

    name: str
    short: str
    long: str
    meaning: str
    better: Better
    unit: str
    decimals: int

    def text(self, value: float | None) -> str:
        """The figure with its unit; a dash where it is missing."""
        if value is None:
            return DASH
        if self.unit == "USD":
            return f"${value:,.{self.decimals}f}"
        return f"{value:,.{self.decimals}f} {self.unit}".strip()

    @property
    def help(self) -> str:
        """Full name, meaning and direction in one text."""
        return f"{self.long}. {self.meaning} {self.better.capitalize()}."


METRICS: Final[tuple[Metric, ...]] = (
    Metric("mdape", "Median error", "MdAPE, median absolute percentage error",
           "Half of the test houses were valued closer to their price than this.", Better.LOW, "%", 1),
    Metric("ppe10", "Within 10 %", "PPE10, share of predictions within 10 % of the price",
           "So many of 100 test houses were valued within 10 % of their price.", Better.HIGH, "%", 1),
    Metric("mae", "Mean error", "MAE, mean absolute error",
           "How far a value is from the price on average.", Better.LOW, "USD", 0),
    Metric("rmse", "RMSE", "Root of the mean squared error",
           "Like the mean error, but large errors weigh more.", Better.LOW, "USD", 0),
    Metric("r2", "R²", "Share of the variance that is explained",
           "1 means that every price is met, 0 that the model knows no more than the mean price.", Better.HIGH, "", 3),
    Metric("cod", "COD", "Coefficient of dispersion",
           "How much the ratio of value to price differs from house to house. "
           "Assessors ask for 5 to 15 where houses are alike, up to 20 where they are not.", Better.LOW, "", 1),
    Metric("prd", "PRD", "Price-related differential",
           "Above 1.03 dear houses are valued too low beside cheap ones, below 0.98 too high.", Better.NEAR, "", 3),
    Metric("coverage", "Coverage", "Share of prices inside the 90 % range",
           "So many of 100 test houses had a price inside the range given for them; it should be close to 90.",
           Better.NEAR, "%", 1),
)  # fmt: skip
"""In the order in which they are shown. COD and PRD bounds: IAAO Standard on Ratio Studies, 2013, table 1-3."""
