"""What makes an appraisal less certain, in words: houses unlike those that the model was trained on."""

from collections.abc import Iterator
from typing import Any, Final

from appraiser_model.valuation import ValuationModel
from appraiser_schema import Listing

FEW: Final = 20
"""With fewer listings the mean of a place is mostly that of the place around it, as `FeatureConfig` weighs them."""


def warnings_for(model: ValuationModel, listing: Listing, price_usd: float | None = None) -> tuple[str, ...]:
    """Say in what a house is unlike the training listings.

    Args:
        model: The model that appraises it.
        listing: The house.
        price_usd: The appraisal, if it is to be looked at as well. [USD]
    """
    return (*_place(model, listing), *_numbers(model, listing), *_price(model, price_usd))


def _place(model: ValuationModel, listing: Listing) -> Iterator[str]:
    encoder = model.encoder
    if (rows := encoder.listings_by_state.get(listing.state, 0)) < FEW:
        yield f"The model has learned from {_listings(rows)} in {listing.state}."
    elif listing.zip_code is None and listing.city is None:
        yield f"Neither zip code nor city is known: the place is valued as an average of {listing.state}."
    elif listing.zip_code is not None and listing.zip_code not in encoder.listings_by_zip:
        yield f"The model has learned from no listing in the zip code {listing.zip_code}, only from those around it."
    elif listing.zip_code is None and not _has_city(model, listing):
        yield f"The model has learned from no listing in {listing.city}: its place is valued as {listing.state} is."


def _has_city(model: ValuationModel, listing: Listing) -> bool:
    return (listing.city or "").lower() in model.known_cities.get(listing.state, ())


def _numbers(model: ValuationModel, listing: Listing) -> Iterator[str]:
    if listing.house_size is None:
        yield "The living area is unknown; it is what tells most of a price."
    for name, (low, high) in model.domain.spans.items():
        value = getattr(listing, name)
        if value is not None and not low <= value <= high:
            declared: Any = Listing.model_fields[name].json_schema_extra
            yield (
                f"{declared['label']}: {value:,g} {declared['unit']} is outside of nearly all listings that the model "
                f"has learned from ({low:,g} to {high:,g})."
            )


def _price(model: ValuationModel, price_usd: float | None) -> Iterator[str]:
    low, high = model.domain.price_usd
    if price_usd is not None and not low <= price_usd <= high * 0.9:
        yield (
            f"The appraisal lies at the edge of the prices that the model has learned from (${low:,.0f} to "
            f"${high:,.0f}), beyond which it cannot see."
        )


def _listings(rows: int) -> str:
    return {0: "no listing", 1: "only one listing"}.get(rows, f"only {rows} listings")
