"""What is wrong in real listings, put into simulated ones in about the same shares."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

type Columns = dict[str, NDArray[np.generic]]


class Blemish(NamedTuple):
    """A fault that real rows have.

    Attributes:
        column: Where it stands.
        values: What stands there instead; drawn where there are several.
        share: Rows that have it, as a share of all.
    """

    column: str
    values: tuple[float | str, ...]
    share: float


BLEMISHES: Final = (
    Blemish("price", (1.0,), 1.0e-4),
    Blemish("price", (2_500.0, 5_000.0, 7_000.0, 9_500.0), 2.5e-4),
    Blemish("bed", (444.0,), 1e-6),
    Blemish("bath", (222.0,), 1e-6),
    Blemish("acre_lot", (0.0,), 1.2e-3),
    Blemish("acre_lot", (100_000.0,), 1e-4),
    Blemish("house_size", (1_560_780.0,), 1e-6),
    Blemish("prev_sold_date", ("2113-04-15", "2052-11-28"), 1e-4),
)
"""Shares of the public set of US listings, of 2.2 million rows; the rarest stand in one row each."""

REPEATED: Final = 1e-3
"""Share of rows that stand twice."""

ONCE_FROM: Final = 1_000
"""From this number of rows on, even the rarest fault stands in one of them."""


def blemish(columns: Columns, random: np.random.Generator) -> Columns:
    """Put the faults into rows of their own, drawn at random; the columns given are not changed."""
    n = len(columns["price"])
    counts = [count_of(fault.share, n) for fault in BLEMISHES]
    rows = iter(random.permutation(n)[: sum(counts)].tolist())
    blemished = {name: values.copy() for name, values in columns.items()}
    for fault, count in zip(BLEMISHES, counts, strict=True):
        for _ in range(count):
            blemished[fault.column][next(rows)] = fault.values[random.integers(len(fault.values))]
    return blemished


def repeat(columns: Columns, times: int, random: np.random.Generator) -> Columns:
    """Let some rows stand twice, one after the other, until there are `times` rows more."""
    n = len(columns["price"])
    rows = np.sort(np.concatenate([np.arange(n), random.choice(n, times, replace=False)]))
    return {name: values[rows] for name, values in columns.items()}


def count_of(share: float, rows: int) -> int:
    """Give the number of rows that make up a share, at least one where there are rows enough."""
    return max(round(share * rows), int(rows >= ONCE_FROM))
