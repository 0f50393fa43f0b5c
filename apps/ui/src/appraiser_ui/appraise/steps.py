"""The way from the typical price to the price of a house, in whole dollars that add up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appraiser_schema import Contribution, Explanation
from appraiser_ui.words import say, say_or

SHOWN: Final = 8
"""How many reasons are drawn one by one; the smaller ones are drawn together."""


@dataclass(frozen=True, slots=True)
class Step:
    """One reason, and the prices before and after it.

    Attributes:
        label: What it is about.
        start_usd: Price before, whole dollars.
        end_usd: Price after, whole dollars.
        reasons: The contributions in it; one, unless small ones are drawn together.
    """

    label: str
    start_usd: int
    end_usd: int
    reasons: tuple[Contribution, ...]

    @property
    def effect_usd(self) -> int:
        """What it adds to the price; negative where it takes off."""
        return self.end_usd - self.start_usd


def every_step(explanation: Explanation) -> tuple[Step, ...]:
    """One step per contribution, the largest first.

    Running totals are rounded, not the effects: so every effect is within a dollar of the exact one, and together
    they lead from the rounded base to the rounded price.
    """
    ordered = sorted(explanation.contributions, key=lambda reason: -abs(reason.effect_usd))
    total, steps = explanation.base_usd, []
    for reason in ordered:
        steps.append(Step(_label(reason), round(total), round(total + reason.effect_usd), (reason,)))
        total += reason.effect_usd
    return tuple(steps)


def main_steps(steps: Sequence[Step], shown: int = SHOWN) -> tuple[Step, ...]:
    """The largest steps, and one for all the smaller ones together.

    Args:
        steps: As `every_step` gives them.
        shown: How many stay by themselves. A single smaller one does too.
    """
    if len(steps) <= shown + 1:
        return tuple(steps)
    small = steps[shown:]
    reasons = tuple(reason for step in small for reason in step.reasons)
    return (
        *steps[:shown],
        Step(say("appraise.why.small", count=len(small)), small[0].start_usd, small[-1].end_usd, reasons),
    )


def _label(reason: Contribution) -> str:
    return say_or(f"listing.{reason.feature}.title", reason.label)
