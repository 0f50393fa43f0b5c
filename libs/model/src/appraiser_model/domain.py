"""What the training listings spanned, and what is said of a house outside of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike

from appraiser_features import Columns
from appraiser_model.errors import TrainingError

NUMBERS: Final = ("bed", "bath", "acre_lot", "house_size")
TAIL: Final = 0.001
"""Share of listings at either end that does not count: a single typing error of 444 bedrooms widens no span."""

type Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Domain:
    """Where nearly all training listings lie.

    Attributes:
        spans: Where the known values of each number of a listing lie, but for `TAIL` of them at either end; a number
            that was never known has no span.
        price_usd: Where the prices lie, but for `TAIL` of them at either end. [USD]
    """

    spans: Mapping[str, Span]
    price_usd: Span

    @classmethod
    def of(cls, columns: Columns, price_usd: ArrayLike) -> Self:
        """Measure training listings.

        Args:
            columns: The training listings.
            price_usd: Their prices. [USD], shape (n,)
        """
        return cls.measured(columns.__getitem__, price_usd)

    @classmethod
    def measured(cls, column: Callable[[str], ArrayLike], price_usd: ArrayLike) -> Self:
        """Measure training listings whose columns are asked for one by one, as they may not fit into memory together.

        Args:
            column: Gives a number of all listings by its name; NaN is unknown.
            price_usd: Their prices. [USD], shape (n,)
        """
        spans = {name: span for name in NUMBERS if (span := _span(column(name))) is not None}
        price_span = _span(price_usd)
        if price_span is None:
            raise TrainingError("no price is known")
        return cls(MappingProxyType(spans), price_span)

    def to_state(self) -> dict[str, Any]:
        """What `from_state` takes, as JSON values."""
        return {"price_usd": list(self.price_usd), "spans": {name: list(span) for name, span in self.spans.items()}}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Rebuild from what `to_state` gave.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: The state is no domain.
        """
        spans = {str(name): _pair(span) for name, span in state["spans"].items()}
        return cls(MappingProxyType(spans), _pair(state["price_usd"]))


def _span(values: ArrayLike) -> Span | None:
    numbers = np.asarray(values, dtype=np.float64)
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return None
    low, high = np.quantile(known, [TAIL, 1 - TAIL], method="inverted_cdf").tolist()
    return low, high


def _pair(state: Any) -> Span:
    low, high = map(float, state)
    return low, high
