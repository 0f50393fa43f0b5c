"""How sure an appraisal is, in one word and in two shares."""

from enum import StrEnum
from typing import Final

from appraiser_schema import Explanation, Interval

NARROW: Final = 0.25
WIDE: Final = 0.50
"""Half widths of a range, as shares of the price, up to which confidence is high and fair. Ours: of a good automated
appraisal half lie within a tenth of the price, and nine in ten within about a third."""


class Confidence(StrEnum):
    """How sure an appraisal is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


def confidence(explanation: Explanation) -> Confidence | None:
    """How sure it is; None without a range. A house unlike the training data is never more than fair."""
    appraisal = explanation.appraisal
    if appraisal.interval is None:
        return None
    half = (appraisal.interval.upper_usd - appraisal.interval.lower_usd) / 2 / appraisal.price_usd
    if half > WIDE:
        return Confidence.LOW
    return Confidence.MEDIUM if half > NARROW or appraisal.warnings else Confidence.HIGH


def shares(price_usd: float, interval: Interval) -> tuple[float, float]:
    """How far the price may be off downwards and upwards. [percent]."""
    return (1 - interval.lower_usd / price_usd) * 100, (interval.upper_usd / price_usd - 1) * 100
