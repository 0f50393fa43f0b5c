"""What was answered and what came of it: appraisals as they were given, what houses sold for, and the live error."""

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, model_validator

from appraiser_schema.listing import EARLIEST_SALE, iso_date
from appraiser_schema.records import Record

NOTE_LENGTH: Final = 1000
HIGHEST_SOLD_USD: Final = 1e9
"""Prices above are typing errors: the dearest house that was ever sold in the United States brought .24 billion."""

_EARLIEST_ZONE: Final = dt.timedelta(hours=14)
"""Somewhere it is already tomorrow: the zone that is furthest ahead of UTC (Kiribati)."""


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("must be text without the character NUL, which not every database takes")
    return value


class PredictionKind(StrEnum):
    """How a house was asked about: alone, or as a row of a table."""

    SINGLE = "single"
    BATCH = "batch"


class Prediction(Record):
    """One appraisal as it was answered. `request_id` and `row` name it; no two are alike."""

    request_id: str = Field(min_length=1, max_length=64, description="The service's own id of the request.")
    row: int = Field(
        default=0, ge=0, description="Row of the table that was sent, from 1 as it was answered; 0 for a single house."
    )
    kind: PredictionKind = PredictionKind.SINGLE
    at: AwareDatetime = Field(description="When it was answered.")
    client_request_id: str | None = Field(
        default=None, max_length=64, description="The X-Request-ID that the client sent, which it may send twice."
    )
    listing: dict[str, Any] = Field(description="The listing as it was asked about; what is absent is unknown.")
    features_fingerprint: str = Field(description="Fingerprint of the code that made the features.")
    price_usd: float
    lower_usd: float | None = Field(default=None, description="Lower bound of the interval; null where there is none.")
    upper_usd: float | None = Field(default=None, description="Upper bound of the interval; null where there is none.")
    model_name: str
    model_version: int = Field(ge=0)
    latency_seconds: float = Field(description="From the request's arrival to its record. [s]")


class Sale(Record):
    """What a house sold for that was appraised before, as it is reported."""

    # Frozen and without unknown fields as every record, and nothing is taken for something else: no true for a price.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    request_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")] = Field(
        description="`request_id` of the appraisal."
    )
    row: int = Field(
        default=0,
        ge=0,
        le=2**31 - 1,
        description="Row of the table that was sent, from 1 as it was answered; 0 for a single house.",
    )
    sold_price_usd: float = Field(gt=0, le=HIGHEST_SOLD_USD, allow_inf_nan=False, description="What it sold for.")
    sold_at: Annotated[dt.date, BeforeValidator(iso_date, json_schema_input_type=dt.date)] = Field(
        ge=EARLIEST_SALE, description="Day of the sale, as YYYY-MM-DD; not in the future."
    )
    note: Annotated[str, AfterValidator(_without_nul)] = Field(
        default="", max_length=NOTE_LENGTH, description="Whatever else is to be known of the sale."
    )


class Feedback(Sale):
    """A sale as it is kept. Of several about one appraisal the last received counts."""

    received_at: AwareDatetime = Field(description="When this was reported.")

    @model_validator(mode="after")
    def _sold_before_received(self) -> Self:
        if self.sold_at > latest_day(self.received_at):
            raise ValueError(f"sold_at must not be in the future; it is {self.sold_at.isoformat()!r}")
        return self


class LiveError(Record):
    """How the appraisals of one model version compare with what the houses sold for."""

    model_name: str
    model_version: int
    n: int = Field(gt=0, description="Appraisals that have feedback.")
    mdape: float = Field(description="Median absolute error as a share of the price it sold for. [%]")
    ppe10: float = Field(description="Appraisals within 10 % of the price it sold for. [%]")
    median_ratio: float = Field(description="Median of appraisal by price it sold for; above 1 appraises too high.")
    coverage: float | None = Field(description="Prices inside the interval; null where none was given. [%]")
    since: AwareDatetime = Field(description="When the first of these appraisals was answered.")


def latest_day(now: dt.datetime) -> dt.date:
    """The latest day that it is anywhere on earth at this instant: a sale after it lies in the future."""
    return (now.astimezone(dt.UTC) + _EARLIEST_ZONE).date()
