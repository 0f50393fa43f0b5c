"""How the service stands: its parts, what it is asked, and what waits; and how a person rolls the champion back."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field

from appraiser_schema.records import AliasMove, Record


class PartName(StrEnum):
    """What the system consists of."""

    API = "api"
    REGISTRY = "registry"
    LEDGER = "ledger"
    PREDICTION_LOG = "prediction_log"
    FEED = "feed"
    AIRFLOW = "airflow"
    PIPELINE = "pipeline"


class PartState(StrEnum):
    """How a part stands. Unknown: this service was not told where the part is, or has nothing to tell by."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class Part(Record):
    """One part of the system, as the API sees it."""

    name: PartName
    state: PartState
    code: str = Field(description="Why it is said to stand so, for programs, such as 'answers' or 'silent'.")
    detail: str = Field(description="The same in words.")
    seconds: float | None = Field(default=None, description="How long it took to answer; null where it was not asked.")
    last_at: AwareDatetime | None = Field(default=None, description="When it last did something that is on record.")


class RouteTraffic(Record):
    """What one route was asked since the service began, by all workers."""

    route: str = Field(description="Template of the route; 'none' where an address leads nowhere.")
    requests: int
    refused: int = Field(description="Of them, answered with a status from 400 to 499.")
    failed: int = Field(description="Of them, answered with a status of 500 or more.")
    within: tuple[int, ...] = Field(description="Answered within each of the bounds of `ServiceState`.")
    seconds: float = Field(description="Time to answer, all together.")


class Backlog(Record):
    """Answers that are on record and not yet in the ledger."""

    records: int
    size_bytes: int
    age_seconds: float = Field(description="Age of the oldest of them; 0 where there is none.")
    shipped: int = Field(description="Appraisals that the ledger has taken.")
    failures: dict[str, int] = Field(description="What went wrong, by reason.")


class ServiceState(Record):
    """The service at one moment. Counts are since it began; two states make a rate."""

    at: AwareDatetime
    software: str = Field(description="Version of the API.")
    workers: int
    keys_needed: bool = Field(description="False where the service runs for this machine alone, without API keys.")
    in_flight: int = Field(description="Requests that are being worked on.")
    bounds_seconds: tuple[float, ...] = Field(description="Bounds of the times to answer, ascending.")
    routes: tuple[RouteTraffic, ...]
    backlog: Backlog
    parts: tuple[Part, ...]


def _told(value: str) -> str:
    if not value.strip():
        raise ValueError("must say why: it is kept for good")
    if "\0" in value:
        raise ValueError("must be text without the character NUL, which not every database takes")
    return value.strip()


class RollbackOrder(Record):
    """What a person asks for who takes the champion back."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="Which version shall serve; null: the champion before this one."
    )
    why: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_told)] = Field(
        description="The reason, kept in the history."
    )


class RolledBack(Record):
    """What a rollback came to."""

    version: int = Field(description="The champion now.")
    moved: bool = Field(description="False where the version was the champion already.")
    move: AliasMove | None = Field(description="What was recorded; null where nothing was.")
    notes: tuple[str, ...] = Field(default=(), description="What else is to be known, in sentences.")
