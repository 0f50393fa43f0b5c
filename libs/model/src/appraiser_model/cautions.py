"""What makes an appraisal less certain, in words and figures: houses unlike those that the model was trained on."""

from collections.abc import Iterator
from typing import Any, Final

from appraiser_model.valuation import ValuationModel
from appraiser_schema import Caution, CautionCode, Listing

FEW: Final = 20
"""With fewer listings the mean of a place is mostly that of the place around it, as `FeatureConfig` weighs them."""


def warnings_for(model: ValuationModel, listing: Listing, price_usd: float | None = None) -> tuple[str, ...]:
    """Say in what a house is unlike the training listings, as `cautions_for` finds it."""
    return tuple(caution.text for caution in cautions_for(model, listing, price_usd))


def cautions_for(model: ValuationModel, listing: Listing, price_usd: float | None = None) -> tuple[Caution, ...]:
    """Find in what a house is unlike the training listings.

    Args:
        model: The model that appraises it.
        listing: The house.
        price_usd: The appraisal, if it is to be looked at as well. [USD]
    """
    return (*_place(model, listing), *_numbers(model, listing), *_price(model, price_usd))


def _place(model: ValuationModel, listing: Listing) -> Iterator[Caution]:
    encoder, state, city, zip_code = model.encoder, listing.state, listing.city, listing.zip_code
    if (rows := encoder.listings_by_state.get(state, 0)) < FEW:
        text = f"The model has learned from {_listings(rows)} in {state}."
        yield Caution(code=CautionCode.FEW_IN_STATE, text=text, place=state, figure=rows)
    elif zip_code is None and city is None:
        text = f"Neither zip code nor city is known: the place is valued as an average of {state}."
        yield Caution(code=CautionCode.PLACE_UNKNOWN, text=text, place=state)
    elif zip_code is not None and zip_code not in encoder.listings_by_zip:
        text = f"The model has learned from no listing in the zip code {zip_code}, only from those around it."
        yield Caution(code=CautionCode.ZIP_UNSEEN, text=text, place=zip_code, around=state)
    elif zip_code is None and not _has_city(model, listing):
        text = f"The model has learned from no listing in {city}: its place is valued as {state} is."
        yield Caution(code=CautionCode.CITY_UNSEEN, text=text, place=city, around=state)


def _has_city(model: ValuationModel, listing: Listing) -> bool:
    return (listing.city or "").lower() in model.known_cities.get(listing.state, ())


def _numbers(model: ValuationModel, listing: Listing) -> Iterator[Caution]:
    if listing.house_size is None:
        text = "The living area is unknown; it is what tells most of a price."
        yield Caution(code=CautionCode.SIZE_UNKNOWN, text=text, field="house_size")
    for name, (low, high) in model.domain.spans.items():
        value = getattr(listing, name)
        if value is not None and not low <= value <= high:
            declared: Any = Listing.model_fields[name].json_schema_extra
            text = (
                f"{declared['label']}: {value:,g} {declared['unit']} is outside of nearly all listings that the model "
                f"has learned from ({low:,g} to {high:,g})."
            )
            yield Caution(code=CautionCode.NUMBER_OUTSIDE, text=text, field=name, figure=value, span=(low, high))


def _price(model: ValuationModel, price_usd: float | None) -> Iterator[Caution]:
    low, high = model.domain.price_usd
    if price_usd is not None and not low <= price_usd <= high * 0.9:
        text = (
            f"The appraisal lies at the edge of the prices that the model has learned from (${low:,.0f} to "
            f"${high:,.0f}), beyond which it cannot see."
        )
        yield Caution(code=CautionCode.PRICE_AT_EDGE, text=text, figure=price_usd, span=(low, high))


def _listings(rows: int) -> str:
    return {0: "no listing", 1: "only one listing"}.get(rows, f"only {rows} listings")
