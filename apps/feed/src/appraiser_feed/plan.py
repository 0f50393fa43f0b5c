"""The batch plan of the original source: which listings come in which batch."""

from dataclasses import dataclass
from typing import Final

import polars as pl

LOW_USD: Final = 300_000
HIGH_USD: Final = 500_000
LARGE_SQFT: Final = 1_500


@dataclass(frozen=True, slots=True)
class Rule:
    """One batch of the plan.

    Attributes:
        words: The rule, for people.
        condition: True for the rows of the batch.
    """

    words: str
    condition: pl.Expr


@dataclass(frozen=True, slots=True)
class Planned:
    """A batch of the plan that has rows.

    Attributes:
        plan_number: Its number in the plan, from 0.
        words: Its rule, for people.
        rows: Its listings, in file order.
    """

    plan_number: int
    words: str
    rows: pl.DataFrame


_low = pl.col("price") <= LOW_USD
_elsewhere = pl.col("state") != "Massachusetts"
_for_sale = pl.col("status") == "for_sale"
_large = pl.col("house_size") >= LARGE_SQFT

PLAN: Final = (
    Rule("for sale up to 300,000 dollars, large", _for_sale & _low & _elsewhere & _large),
    Rule("for sale up to 300,000 dollars, small", _for_sale & _low & _elsewhere & ~_large),
    Rule("sold up to 300,000 dollars", (pl.col("status") == "sold") & _low & _elsewhere),
    Rule("Massachusetts up to 300,000 dollars", _low & ~_elsewhere),
    Rule("300,000 to 500,000 dollars", ~_low & (pl.col("price") <= HIGH_USD)),
    Rule("over 500,000 dollars", pl.col("price") > HIGH_USD),
)
"""The original cut the public set of 2.2 million listings by these rules; no listing fits two. Listings that fit none,
such as those ready to build up to 300,000 dollars, were never sent."""


def cut(listings: pl.DataFrame) -> tuple[Planned, ...]:
    """Cut listings into the batches of the plan, leaving out those without rows.

    Args:
        listings: Raw listings without nulls, in file order.
    """
    batches = (Planned(number, rule.words, listings.filter(rule.condition)) for number, rule in enumerate(PLAN))
    return tuple(batch for batch in batches if batch.rows.height)
