"""A version on trial before a person puts it in production: what it says of ordinary houses and of test rows."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from appraiser_features import Columns
from appraiser_model.bundle import Bundle
from appraiser_model.domain import Domain
from appraiser_model.valuation import Appraised
from appraiser_schema import Listing, Record, example_listing
from appraiser_schema.columns import listing_columns

FAR: Final = 10.0
"""An appraisal of an ordinary house may lie so many times beyond the prices that the version was trained on. Nearly all
of them lie inside; ten times beyond is another order of magnitude, which no change of the market explains."""

LEAST_ROWS: Final = 100
"""Test rows from which a median error is held against a version; it is told from the first row."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Listings with known prices that no model was trained on.

    Attributes:
        columns: As `appraiser_schema.frames.to_columns` builds them.
        price_usd: True prices. [USD], shape (n,), > 0
    """

    columns: Columns
    price_usd: NDArray[np.float64]


class Trial(Record):
    """How a version did on trial."""

    version: int
    bundle_digest: str = Field(description="SHA-256 of the files that were loaded, hexadecimal.")
    prices_usd: tuple[float, ...] = Field(description="What it appraises a few ordinary houses at. [USD]")
    rows_test: int = Field(description="Test rows that it was asked about.")
    mdape: float | None = Field(description="Its median error on them; null where there are none. [%]")
    plain_mdape: float | None = Field(description="Median error of answering their median price to each of them. [%]")
    faults: tuple[str, ...] = Field(description="Why its appraisals are absurd; empty where they are not.")


def try_out(bundle: Bundle, version: int, test: HeldOut | None) -> Trial:
    """Ask a loaded version for appraisals, and hold them against what any model must be able to do.

    Args:
        bundle: The version, loaded.
        version: Its number.
        test: Test rows of the latest data; None where there are none at hand.
    """
    model = bundle.model
    few = model.appraise(listing_columns(ordinary_houses(model.domain)))
    faults = [*_faults(few, model.domain)]
    own = plain = None
    if test is not None and len(test.price_usd):
        own, plain = median_error(bundle, test), _median_error(test.price_usd, np.median(test.price_usd))
        if len(test.price_usd) >= LEAST_ROWS and not own < plain:
            faults.append(
                f"on {len(test.price_usd):,} test rows its median error is {own:.1f} %, and answering their median "
                f"price to every house has {plain:.1f} %"
            )
    return Trial(
        version=version,
        bundle_digest=bundle.digest,
        prices_usd=tuple(few.price_usd.tolist()),
        rows_test=0 if test is None else len(test.price_usd),
        mdape=own,
        plain_mdape=plain,
        faults=tuple(faults),
    )


def median_error(bundle: Bundle, test: HeldOut) -> float:
    """Median absolute percentage error on test rows [%]."""
    return _median_error(test.price_usd, bundle.model.appraise(test.columns).price_usd)


def ordinary_houses(domain: Domain) -> list[Listing]:
    """A house of which only the state is known, the example, and one in the middle of what was trained on."""
    example = example_listing()
    middle: dict[str, Any] = {name: (low + high) / 2 for name, (low, high) in domain.spans.items()}
    middle |= {name: float(round(middle[name])) for name in ("bed", "bath") if name in middle}
    state = {"state": example["state"]}
    return [Listing.model_validate(fields) for fields in (state, example, state | middle)]


def _faults(few: Appraised, domain: Domain) -> list[str]:
    low, high = domain.price_usd[0] / FAR, domain.price_usd[1] * FAR
    found = []
    for price, lower, upper in zip(few.price_usd, few.lower_usd, few.upper_usd, strict=True):
        if not low <= price <= high:
            found.append(
                f"it appraises an ordinary house at {price:,.0f} USD, and was trained on prices from "
                f"{domain.price_usd[0]:,.0f} to {domain.price_usd[1]:,.0f} USD"
            )
        elif not 0 < lower <= price <= upper < np.inf:
            found.append(f"its interval from {lower:,.0f} to {upper:,.0f} USD does not hold its price of {price:,.0f}")
    return found


def _median_error(price_usd: NDArray[np.float64], appraised_usd: Any) -> float:
    return float(np.median(np.abs(appraised_usd - price_usd) / price_usd)) * 100
