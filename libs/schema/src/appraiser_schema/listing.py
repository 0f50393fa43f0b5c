"""A listing, declared once: table schemas, the form and the API's documentation are read off this class."""

import contextlib
import datetime as dt
import re
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from appraiser_schema.places import STATES

BLANKS: Final = " \t\r\n"
"""What is cut off both ends of a text. Spelled out, because Python and polars differ on what a blank is."""

EARLIEST_SALE: Final = dt.date(1900, 1, 1)
LATEST_SALE: Final = dt.date(2099, 12, 31)
"""Static bounds, so that no check reads the clock. The pipeline also refuses sales after the batch was received."""

PRICE_FLOOR_USD: Final = 10_000.0
PRICE_CEILING_USD: Final = 5_000_000.0
"""The span of prices that the model is made for. Below stand placeholders (many listings at 1 dollar), above estates
and typing errors (up to a billion). Rows outside are quarantined, not forgotten."""

_ZIP = re.compile(r"^[0-9]{5}(-[0-9]{4})?$")
_DATE = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")


class Status(StrEnum):
    """Where a listing stands in its sale."""

    FOR_SALE = "for_sale"
    SOLD = "sold"
    READY_TO_BUILD = "ready_to_build"


def normalise_zip_code(value: object) -> object:
    """Give a zip code its five digits back.

    Args:
        value: A number that has lost its leading zeros (6016.0), five digits, or ZIP+4. Null stays null.

    Returns:
        Five digits as text; anything else is returned as it came, for the pattern to refuse.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        # The bounds come first: neither NaN, infinity nor a number of a hundred digits passes them.
        if 0 < value <= 99_999 and value == int(value):
            return f"{int(value):05d}"
        return value
    if isinstance(value, str):
        text = value.strip(BLANKS)
        return text[:5] if _ZIP.match(text) else text
    return value


def normalise_text(value: object) -> object:
    """Cut blanks off both ends of a text; nothing left means unknown. Anything else is returned as it came."""
    return (value.strip(BLANKS) or None) if isinstance(value, str) else value


def _known_state(value: str) -> str:
    if value not in _STATE_SET:
        raise ValueError(
            "must be the full English name of a US state, its district or a territory, such as 'Connecticut'"
        )
    return value


def iso_date(value: object) -> object:
    """Read a day that is written as YYYY-MM-DD. Anything but a text is returned as it came.

    Raises:
        ValueError: It is written otherwise.
    """
    if isinstance(value, str):
        text = value.strip(BLANKS)
        # The standard parser alone would also take 19990930 and 1999-W39-4.
        with contextlib.suppress(ValueError):
            if _DATE.match(text):
                return dt.date.fromisoformat(text)
        raise ValueError("must be a date written as YYYY-MM-DD")
    return value


_STATE_SET: Final = frozenset(STATES)


class Listing(BaseModel):
    """A house that can be appraised: what is known of it, without its price.

    `None` means unknown; the model was trained on listings with the same gaps.
    Keys in `json_schema_extra`: `label` and `unit` for people, `step` and `example` for forms, `group` for
    explanations.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    status: Annotated[
        Status,
        Field(
            strict=False,
            description="Where the listing stands in its sale: for_sale, sold or ready_to_build.",
            json_schema_extra={"label": "Status", "unit": "", "example": "for_sale", "group": "sale"},
        ),
    ] = Status.FOR_SALE
    bed: Annotated[
        float | None,
        Field(
            ge=0,
            le=50,
            allow_inf_nan=False,
            description="Number of bedrooms.",
            json_schema_extra={"label": "Bedrooms", "unit": "rooms", "step": 1, "example": 3.0, "group": "size"},
        ),
    ] = None
    bath: Annotated[
        float | None,
        Field(
            ge=0,
            le=50,
            allow_inf_nan=False,
            description="Number of bathrooms; a half bath counts as one half.",
            json_schema_extra={"label": "Bathrooms", "unit": "rooms", "step": 0.5, "example": 2.0, "group": "size"},
        ),
    ] = None
    acre_lot: Annotated[
        float | None,
        Field(
            ge=0,
            le=10_000,
            allow_inf_nan=False,
            description="Area of the land. One acre is 4,047 square metres.",
            json_schema_extra={"label": "Land", "unit": "acres", "step": 0.05, "example": 0.38, "group": "land"},
        ),
    ] = None
    house_size: Annotated[
        float | None,
        Field(
            ge=100,
            le=50_000,
            allow_inf_nan=False,
            description="Living area.",
            json_schema_extra={"label": "Living area", "unit": "sqft", "step": 10, "example": 1617.0, "group": "size"},
        ),
    ] = None
    state: Annotated[
        str,
        BeforeValidator(normalise_text, json_schema_input_type=str),
        AfterValidator(_known_state),
        Field(
            description="State, district or territory, by its full English name.",
            json_schema_extra={
                "label": "State",
                "unit": "",
                "example": "Connecticut",
                "group": "place",
                "enum": list(STATES),
            },
        ),
    ]
    city: Annotated[
        Annotated[str, Field(max_length=100)] | None,
        BeforeValidator(normalise_text, json_schema_input_type=str | None),
        Field(
            description="City or town.",
            json_schema_extra={"label": "City", "unit": "", "example": "East Windsor", "group": "place"},
        ),
    ] = None
    zip_code: Annotated[
        Annotated[str, Field(pattern=r"^[0-9]{5}$")] | None,
        BeforeValidator(normalise_zip_code, json_schema_input_type=str | float | None),
        Field(
            description="Zip code: five digits, ZIP+4, or a number that has lost its leading zeros.",
            json_schema_extra={"label": "Zip code", "unit": "", "example": "06016", "group": "place"},
        ),
    ] = None
    prev_sold_date: Annotated[
        Annotated[dt.date, Field(ge=EARLIEST_SALE, le=LATEST_SALE)] | None,
        BeforeValidator(iso_date, json_schema_input_type=dt.date | None),
        Field(
            description="Day of the last sale before this listing, as YYYY-MM-DD.",
            json_schema_extra={"label": "Last sold on", "unit": "date", "example": "1999-09-30", "group": "sale"},
        ),
    ] = None


class PricedListing(Listing):
    """A listing as it arrives in a batch and is trained on: with its price and who offers it."""

    price: Annotated[
        float,
        Field(
            ge=PRICE_FLOOR_USD,
            le=PRICE_CEILING_USD,
            allow_inf_nan=False,
            description="Asking price, or the price it sold for where the status is sold.",
            json_schema_extra={"label": "Price", "unit": "USD", "step": 1000, "example": 289_900.0, "group": "price"},
        ),
    ]
    brokered_by: Annotated[
        str | None,
        Field(
            max_length=200,
            description="Code or name of the broker.",
            json_schema_extra={"label": "Broker", "unit": "", "example": "101640", "group": "id"},
        ),
    ] = None
    street: Annotated[
        str | None,
        Field(
            max_length=200,
            description="Code or name of the street address.",
            json_schema_extra={"label": "Street", "unit": "", "example": "1758218", "group": "id"},
        ),
    ] = None


RAW_COLUMNS: Final[tuple[str, ...]] = (
    "brokered_by",
    "status",
    "price",
    "bed",
    "bath",
    "acre_lot",
    "street",
    "city",
    "state",
    "zip_code",
    "house_size",
    "prev_sold_date",
)
"""The twelve columns of a batch, in the order in which the listing API writes them."""

LISTING_COLUMNS: Final[tuple[str, ...]] = tuple(Listing.model_fields)


def example_listing() -> dict[str, Any]:
    """The example that the form, the documentation and the tests share, as JSON values."""
    return {
        name: extra["example"]
        for name, field in Listing.model_fields.items()
        if isinstance(extra := field.json_schema_extra, dict)
    }
