"""The test figures of a model: what each is called, means, and which way is better."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from appraiser_ui.figures import DASH, decimal, money, percent
from appraiser_ui.words import say


class Better(StrEnum):
    """Which way a figure improves."""

    LOW = "low"
    HIGH = "high"
    NEAR = "near"


@dataclass(frozen=True, slots=True)
class Metric:
    """One test figure; `models.metrics` in the words has its name and meaning.

    Attributes:
        name: Key in `ModelVersion.metrics`.
        better: Which way it improves.
        unit: `USD`, `%` or nothing.
        decimals: How many are shown.
        target: What it should be near, where that is the way it improves.
    """

    name: str
    better: Better
    unit: str
    decimals: int
    target: float | None = None

    def text(self, value: float | None) -> str:
        """The figure with its unit; a dash where it is missing."""
        if value is None:
            return DASH
        if self.unit == "USD":
            return money(value)
        return (
            percent(value, self.decimals, self.decimals) if self.unit else decimal(value, self.decimals, self.decimals)
        )

    @property
    def short(self) -> str:
        """Heading of a column."""
        return say(f"models.metrics.{self.name}.short")

    @property
    def axis(self) -> str:
        """Title of an axis, with the unit."""
        unit = say("listing.units.USD") if self.unit == "USD" else self.unit
        return f"{self.short} ({unit})" if unit and unit not in self.short else self.short

    @property
    def long(self) -> str:
        """What it is called in full."""
        return say(f"models.metrics.{self.name}.long")

    @property
    def help(self) -> str:
        """Full name, meaning and direction in one text."""
        return f"{self.long}. {say(f'models.metrics.{self.name}.meaning')} {say(f'models.better.{self.better}')}"

    def gain(self, old: float, new: float) -> float:
        """By how much the new figure is better than the old one, in its unit; below 0 it is worse."""
        if self.better is Better.NEAR and self.target is not None:
            return abs(old - self.target) - abs(new - self.target)
        return new - old if self.better is Better.HIGH else old - new


METRICS: Final[tuple[Metric, ...]] = (
    Metric("mdape", Better.LOW, "%", 1),
    Metric("ppe10", Better.HIGH, "%", 1),
    Metric("mae", Better.LOW, "USD", 0),
    Metric("rmse", Better.LOW, "USD", 0),
    Metric("r2", Better.HIGH, "", 3),
    Metric("cod", Better.LOW, "", 1),
    Metric("prd", Better.NEAR, "", 3, 1.0),
    Metric("coverage", Better.NEAR, "%", 1, 90.0),
)
"""In the order in which they are shown. COD and PRD bounds: IAAO Standard on Ratio Studies, 2013, table 1-3."""
