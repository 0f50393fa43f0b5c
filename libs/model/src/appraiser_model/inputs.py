"""What the listings looked like that a model was trained on, so that those of later can be held against them."""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from appraiser_model.stability import edges_of, rows_by_bin, stability_index
from appraiser_schema import Record

if TYPE_CHECKING:
    import polars as pl

NUMBERS: Final = ("bed", "bath", "acre_lot", "house_size")
CATEGORIES: Final = ("status", "state")


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
        """Population stability index of each field, as `stability_index` has it; the pipeline decides by the same.

        Args:
            counts: Listings by field and bin; a field without any is left out.
        """
        fields: dict[str, NumberShares | CategoryShares] = {**self.numbers, **self.categories}
        return {
            name: float(stability_index(field.shares, counts[name]))
            for name, field in fields.items()
            if len(counts.get(name, ())) == len(field.shares) and any(counts[name])
        }


def _number_shares(values: NDArray[np.float64]) -> NumberShares:
    edges = edges_of(values)
    shares = rows_by_bin(values, edges) / len(values)
    return NumberShares(edges=tuple(edges.tolist()), shares=tuple(shares.tolist()))


def _category_shares(counted: Mapping[str, int], rows: int) -> CategoryShares:
    known = {value: count for value, count in sorted(counted.items()) if count}
    counts = [*known.values(), rows - sum(known.values())]
    return CategoryShares(values=tuple(known), shares=tuple(count / rows for count in counts))
