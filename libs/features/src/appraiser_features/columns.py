"""The door of the library: columns of listings, checked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from appraiser_features.errors import ColumnsError
from appraiser_schema.columns import Coded

type Columns = Mapping[str, Any]
"""The nine columns of n listings, as `appraiser_schema.frames` builds them. Further columns are not looked at.

bed, bath, acre_lot, house_size: float64, shape (n,); NaN is unknown.
prev_sold_date: float64, shape (n,), days since 1970-01-01; NaN is unknown.
status, state, city, zip_code: list of n texts, or `Coded`; None is unknown.
"""

type Texts = Sequence[str | None] | Coded
"""n texts; None is unknown."""

NUMBERS: Final = ("bed", "bath", "acre_lot", "house_size", "prev_sold_date")
TEXTS: Final = ("status", "state", "city", "zip_code")


@dataclass(frozen=True, slots=True)
class Listings:
    """Columns that were found to be in order.

    Attributes:
        numbers: One row per name in NUMBERS, float64, shape (5, n); NaN is unknown, nothing is infinite.
        texts: n texts per name in TEXTS.
        rows: How many listings there are; n.
    """

    numbers: NDArray[np.float64]
    texts: tuple[Texts, ...]
    rows: int


def each(texts: Texts, number_of: Callable[[str | None], float]) -> ArrayLike:
    """A number for each of n texts, shape (n,); where they are coded, each different text is asked about once."""
    if isinstance(texts, Coded):
        return np.array([number_of(text) for text in texts.values])[texts.codes]
    return [number_of(text) for text in texts]


def code(texts: Texts) -> Coded:
    """The same texts, coded."""
    if isinstance(texts, Coded):
        return texts
    index: dict[str | None, int] = {}
    codes = [index.setdefault(text, len(index)) for text in texts]
    return Coded(tuple(index), np.array(codes, dtype=np.int64))


def check(columns: Columns) -> Listings:
    """Check columns at the boundary, so that nothing behind it has to.

    Raises:
        ColumnsError: A column is missing, has another length than the others or cannot be read as numbers.
    """
    try:
        numbers = np.array([columns[name] for name in NUMBERS], dtype=np.float64)
        texts = tuple([columns[name] for name in TEXTS])
        rows = numbers.shape[1]
        fits = all(len(text) == rows and not isinstance(text, str) for text in texts)
    except (KeyError, TypeError, ValueError, IndexError):
        raise _explain(columns) from None
    if not fits or numbers.ndim != 2 or np.isinf(numbers).any():
        raise _explain(columns)
    return Listings(numbers, texts, rows)


def _explain(columns: Columns) -> ColumnsError:
    missing = [name for name in (*NUMBERS, *TEXTS) if name not in columns]
    if missing:
        return ColumnsError(missing[0], "is missing")
    lengths: dict[str, int] = {}
    for name in NUMBERS:
        try:
            values = np.asarray(columns[name], dtype=np.float64)
        except (TypeError, ValueError):
            return ColumnsError(name, "is not numbers; unknown values are NaN")
        if values.ndim != 1:
            return ColumnsError(name, f"has {values.ndim} dimensions; it must have one")
        if np.isinf(values).any():
            return ColumnsError(name, "holds an infinite value; unknown values are NaN")
        lengths[name] = len(values)
    for name in TEXTS:
        if isinstance(columns[name], str) or not hasattr(columns[name], "__len__"):
            return ColumnsError(name, "is not a list of texts; unknown values are None")
        lengths[name] = len(columns[name])
    first = next(iter(lengths.values()))
    name, length = next((name, length) for name, length in lengths.items() if length != first)
    return ColumnsError(name, f"has {length} rows where {NUMBERS[0]!r} has {first}")
