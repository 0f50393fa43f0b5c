"""What the listings looked like that a model was trained on, so that those of later can be held against them."""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from appraiser_schema import Record

if TYPE_CHECKING:
    import polars as pl

NUMBERS: Final = ("bed", "bath", "acre_lot", "house_size")
CATEGORIES: Final = ("status", "state")
BINS: Final = 10
LEAST_SHARE: Final = 1e-4
"""Stands in for an empty bin, whose logarithm would be infinite."""


class NumberShares(Record):
    """The training listings by a number: its deciles, and what share of them lies in each bin."""

    edges: tuple[float, ...] = Field(description="Ascending; bin i holds values up to and with edge i.")
    shares: tuple[float, ...] = Field(description="One more than edges, and the unknown last; they sum to 1.")

    def bin_of(self, value: float | None) -> int:
        """Number of the bin of a value; None and NaN are unknown."""
        if value is None or math.isnan(value):
            return len(self.edges) + 1
        return bisect_left(self.edges, value)


class CategoryShares(Record):
    """The training listings by a category: its values, and what share of them has each."""

    values: tuple[str, ...]
    shares: tuple[float, ...] = Field(description="One per value, then what is none of them or unknown; sum 1.")

    def bin_of(self, value: str | None) -> int:
        """Number of the bin of a value."""
        return self.values.index(value) if value in self.values else len(self.values)


class Inputs(Record):
    """Shares of the training listings by field. About 2 kB."""

    numbers: dict[str, NumberShares]
    categories: dict[str, CategoryShares]

    @classmethod
    def of(cls, train: "pl.DataFrame") -> "Inputs":
        """Take the shares of the training listings, at least one."""
        counted = {name: dict(train[name].drop_nulls().value_counts().iter_rows()) for name in CATEGORIES}
        return cls.measured(lambda name: train[name].to_numpy(), counted, train.height)

    @classmethod
    def measured(
        cls, column: Callable[[str], ArrayLike], counted: Mapping[str, Mapping[str, int]], rows: int
    ) -> "Inputs":
        """Take the shares of training listings whose columns may not fit into memory together.

        Args:
            column: Gives a number of all listings by its name, shape (rows,); NaN is unknown.
            counted: How many listings have each value of each of the CATEGORIES; those missing are unknown.
            rows: How many listings there are, at least one.
        """
        return cls(
            numbers={name: _number_shares(np.asarray(column(name), dtype=np.float64)) for name in NUMBERS},
            categories={name: _category_shares(counted[name], rows) for name in CATEGORIES},
        )

    def count(self, listings: Iterable[Any]) -> dict[str, tuple[int, ...]]:
        """Count listings by field and bin.

        Args:
            listings: Objects with the fields as attributes, such as `Listing`.
        """
        fields: dict[str, NumberShares | CategoryShares] = {**self.numbers, **self.categories}
        listings = list(listings)
        counts = {}
        for name, field in fields.items():
            row = [0] * len(field.shares)
            for listing in listings:
                row[field.bin_of(getattr(listing, name))] += 1
            counts[name] = tuple(row)
        return counts

    def drift(self, counts: Mapping[str, Sequence[int]]) -> dict[str, float]:
        """Population stability index of each field: 0 is the same distribution, above 0.25 it has shifted.

        The sum over bins of (now - then) * ln(now / then), of shares. Source: Siddiqi, Credit Risk Scorecards (2006),
        chapter 9. It is the index by which the pipeline decides whether to train.

        Args:
            counts: Listings by field and bin; a field without any is left out.
        """
        fields: dict[str, NumberShares | CategoryShares] = {**self.numbers, **self.categories}
        return {
            name: _stability(field.shares, counts[name])
            for name, field in fields.items()
            if len(counts.get(name, ())) == len(field.shares) and any(counts[name])
        }


def _number_shares(values: NDArray[np.float64]) -> NumberShares:
    known = values[~np.isnan(values)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else known
    bins = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))
    shares = np.bincount(bins, minlength=len(edges) + 2) / len(values)
    return NumberShares(edges=tuple(edges.tolist()), shares=tuple(shares.tolist()))


def _category_shares(counted: Mapping[str, int], rows: int) -> CategoryShares:
    known = {value: count for value, count in sorted(counted.items()) if count}
    counts = [*known.values(), rows - sum(known.values())]
    return CategoryShares(values=tuple(known), shares=tuple(count / rows for count in counts))


def _stability(before: Sequence[float], counts: Sequence[int]) -> float:
    old = np.maximum(before, LEAST_SHARE)
    new = np.maximum(np.asarray(counts) / sum(counts), LEAST_SHARE)
    return float(((new - old) * np.log(new / old)).sum())
