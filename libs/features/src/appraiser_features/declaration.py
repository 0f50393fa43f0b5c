"""What each feature is called, means and comes from: the words for explanations and documentation."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FeatureGroup(StrEnum):
    """What a feature speaks of; explanations add up the features of a group."""

    PLACE = "place"
    SIZE = "size"
    LAND = "land"
    SALE = "sale"


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the matrix.

    Attributes:
        name: Stable name, as in the model file.
        label: For people.
        unit: Unit of the value; empty for codes and plain ratios.
        group: What it speaks of.
        listing_field: The field of a listing that it mainly depends on.
        description: What the value is, and what missing means.
        source: Where it comes from and why it is here.
    """

    name: str
    label: str
    unit: str
    group: FeatureGroup
    listing_field: str
    description: str
    source: str


_LISTING: Final = "The listing itself."
_MEASURES: Final = (
    Feature("bed", "Bedrooms", "rooms", FeatureGroup.SIZE, "bed", "Number of bedrooms.", _LISTING),
    Feature("bath", "Bathrooms", "rooms", FeatureGroup.SIZE, "bath", "Number of bathrooms.", _LISTING),
    Feature("house_size", "Living area", "sqft", FeatureGroup.SIZE, "house_size", "Living area.", _LISTING),
    Feature("acre_lot", "Land", "acres", FeatureGroup.LAND, "acre_lot", "Area of the land.", _LISTING),
    Feature(
        "rooms", "Rooms", "rooms", FeatureGroup.SIZE, "bed", "Bedrooms and bathrooms together.",
        "A sum that a tree needs many splits for.",
    ),
    Feature(
        "bath_per_bed", "Bathrooms per bedroom", "", FeatureGroup.SIZE, "bath",
        "Bathrooms divided by bedrooms; unknown without bedrooms.", "Comfort, apart from size.",
    ),
    Feature(
        "sqft_per_bed", "Living area per bedroom", "sqft", FeatureGroup.SIZE, "house_size",
        "Living area divided by bedrooms; unknown without bedrooms.", "How roomy the house is.",
    ),
    Feature(
        "lot_per_house", "Land per living area", "", FeatureGroup.LAND, "acre_lot",
        "Area of the land divided by the living area.", "Tells a flat from a house with a garden and from a farm.",
    ),
    Feature(
        "status", "Status", "", FeatureGroup.SALE, "status",
        "0 is for sale, 1 is sold, 2 is ready to build.", "Asking prices and sale prices differ.",
    ),
    Feature(
        "years_since_sale", "Years since the last sale", "years", FeatureGroup.SALE, "prev_sold_date",
        "From the last sale to the latest sale that the model was trained on; unknown where no sale is known.",
        "Never the clock: the same house has the same price tomorrow.",
    ),
)  # fmt: skip
_POSITION: Final = (
    Feature(
        "latitude", "Latitude", "degrees", FeatureGroup.PLACE, "zip_code",
        "Of the centre of the zip code; of the zip area, city or state where the zip code is unknown.",
        "US Postal Service codes in the package zipcodes.",
    ),
    Feature(
        "longitude", "Longitude", "degrees", FeatureGroup.PLACE, "zip_code",
        "Of the centre of the zip code; of the zip area, city or state where the zip code is unknown.",
        "US Postal Service codes in the package zipcodes.",
    ),
    Feature(
        "zip_spacing", "Distance to neighbouring zip codes", "miles", FeatureGroup.PLACE, "zip_code",
        "Mean distance to the ten nearest zip codes: short in town, long in the country.",
        "US Postal Service codes in the package zipcodes; tells town from country without counting listings.",
    ),
)  # fmt: skip

_WHERE: Final = (
    ("nearby", "around", "the nearest zip codes", "zip_code"),
    ("in_zip", "in the zip code", "the zip code", "zip_code"),
    ("in_city", "in the city", "the city", "city"),
    ("in_state", "in the state", "the state", "state"),
)
_WHAT: Final = (
    ("price", "Prices", "USD", "price"),
    ("price_per_sqft", "Prices per square foot", "USD/sqft", "price per square foot of living area"),
    ("price_per_acre", "Prices per acre", "USD/acre", "price per acre of land"),
)


def _statistic(name: str, label: str, unit: str, what: str, where: tuple[str, str, str, str]) -> Feature:
    suffix, at, place, field = where
    return Feature(
        name=f"{name}_{suffix}",
        label=f"{label} {at}",
        unit=unit,
        group=FeatureGroup.PLACE,
        listing_field=field,
        description=f"Geometric mean of the {what} of the training listings in {place}, drawn to that of the place "
        "around it where listings are few.",
        source="Training listings; for a training listing without the prices of its own fold.",
    )


def _expected(suffix: str, at: str, field: str) -> Feature:
    return Feature(
        name=f"size_value_{suffix}",
        label=f"Living area at prices {at}",
        unit="USD",
        group=FeatureGroup.SIZE,
        listing_field="house_size",
        description=f"Living area times `price_per_sqft_{suffix}`; unknown without the living area.",
        source=f"The listing's {field} and living area; a product that a tree needs many splits for.",
    )


FEATURES: Final[tuple[Feature, ...]] = (
    *_MEASURES,
    *_POSITION,
    *(_statistic(*what, where) for where in _WHERE for what in _WHAT),
    *(_expected(suffix, at, field.replace("_", " ")) for suffix, at, _, field in _WHERE[:3]),
)
"""The columns of the matrix, in order."""
