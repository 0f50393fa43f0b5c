"""What the API answers about the listings that the model has learned from: where they are, and those like a house."""

from typing import Literal

from pydantic import Field

from appraiser_schema.answers import ModelRef
from appraiser_schema.listing import Status
from appraiser_schema.records import Record

type Span = tuple[float, float]


class SeenPlace(Record):
    """A place, and how many listings there the model has learned from."""

    name: str
    listings: int = Field(ge=0)


class SeenZip(SeenPlace):
    """A zip code with its position, in degrees of WGS 84; null where it is not known."""

    latitude: float | None
    longitude: float | None


class SeenCity(SeenPlace):
    """A city with its zip codes."""

    zip_codes: tuple[SeenZip, ...] = Field(
        default=(), description="Those of the kept listings, the commonest first; none where no listings are kept."
    )


class Market(Record):
    """What the model has learned from, all in all."""

    model: ModelRef
    listings: int = Field(ge=0, description="Training listings.")
    states: tuple[SeenPlace, ...] = Field(description="By name; a state that is not here was never seen.")
    spans: dict[str, Span] = Field(description="Where nearly all known values of each number of a listing lie.")
    price_usd: Span = Field(description="Where nearly all prices lie. [USD]")
    typical: dict[str, float | str | None] = Field(description="The usual value of each field of a listing.")


class StateMarket(Record):
    """What the model has learned from in one state."""

    model: ModelRef
    state: str
    listings: int = Field(ge=0)
    cities: tuple[SeenCity, ...] = Field(description="By name.")


class Comparable(Record):
    """A listing that the model has learned from, without its address. Null is unknown."""

    price_usd: float
    status: Status
    bed: float | None
    bath: float | None
    acre_lot: float | None
    house_size: float | None
    state: str
    city: str | None
    zip_code: str | None
    latitude: float | None = Field(description="Of the centre of its zip code or city. [degrees, WGS 84]")
    longitude: float | None
    miles: float | None = Field(description="From the house, as far as both places are known.")
    likeness: float = Field(ge=0, le=100, description="100 is the same house at the same place.")


class Comparables(Record):
    """The listings most like a house among those that the model has learned from."""

    model: ModelRef
    latitude: float | None = Field(description="Where the house stands, as far as it is known. [degrees, WGS 84]")
    longitude: float | None
    listings: tuple[Comparable, ...] = Field(description="The most like first.")
    rows_kept: int = Field(ge=0, description="Training listings that are kept with the model, drawn by their hash.")
    rows_train: int = Field(ge=0, description="Training listings in all.")
    missing: Literal["absent", "unreadable"] | None = Field(
        default=None,
        description="Why there are none: absent where none are kept with this model, unreadable where they cannot be "
        "read at the moment.",
    )
