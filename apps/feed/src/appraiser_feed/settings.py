"""Settings of the listing API, read from the environment once at start."""

from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from appraiser_feed.errors import SettingsError

PREFIX: Final = "APPRAISER_FEED_"


class Settings(BaseSettings):
    """Where to listen, what to serve and which faults to play.

    Attributes:
        host: Address to listen on; the default can be reached from this machine only.
        port: TCP port; 0 takes a free one.
        data: CSV, Parquet or JSON file of listings; None serves simulated ones.
        seed: Seed of the simulator; the same seed gives the same bytes.
        rows: Number of simulated listings. Below about 2,000 a batch of the plan may have no rows.
        drop: Numbers of the batches whose next response breaks off in mid-body, once each.
        repeat: Numbers of the batches that come twice, once each: the next question brings them again.
        delay: Wait before each batch is sent. [s]
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8001, ge=0, le=65535)
    data: Path | None = None
    seed: int = Field(default=1, ge=0)
    rows: int = Field(default=20_000, ge=100, le=2_000_000)
    drop: Annotated[frozenset[int], NoDecode] = frozenset()
    repeat: Annotated[frozenset[int], NoDecode] = frozenset()
    delay: float = Field(default=0.0, ge=0, le=3_600, allow_inf_nan=False)

    @field_validator("drop", "repeat", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("data", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if value == "" else value


def read_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: A variable has a value that cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        variable = PREFIX + str(first["loc"][0]).upper()
        raise SettingsError(variable, first["msg"].lower(), first["input"]) from None
