"""What can be set from outside."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import (
    AnyHttpUrl,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from appraiser_api.prediction_log import SyncPolicy
from appraiser_schema import Alias

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?")
_KNOWN_PASSWORDS: Final = frozenset({"", "admin", "appraiser", "changeme", "password", "postgres", "secret"})
"""What stands in examples, and is tried first by whoever should not be let in."""


class Settings(BaseSettings):
    """Settings of the API, read once from the environment; the names are those of the fields with `APPRAISER_`."""

    model_config = SettingsConfigDict(env_prefix="APPRAISER_", frozen=True, populate_by_name=True)

    api_host: str = Field(default="127.0.0.1", description="Address to listen on.")
    api_port: NonNegativeInt = Field(default=8000, le=65_535, description="Port to listen on; 0 takes a free one.")
    api_workers: PositiveInt = Field(default=1, le=64, description="Processes that serve at one port.")
    api_alias: Alias = Field(
        default=Alias.CHAMPION,
        description="Which version it serves; the challenger, to compare it on a share of the requests.",
    )
    api_run: Path = Field(default=Path("var/api/run"), description="Where the processes of a server meet, and count.")
    worker_folder: Path | None = Field(
        default=None, description="Set by the service itself: where the workers of this server meet."
    )
    api_keys: Path | None = Field(
        default=None, description="File of API keys, as `appraiser keys` writes it; none is needed on loopback only."
    )
    api_in_flight: PositiveInt = Field(default=256, description="Requests that a worker takes at a time.")
    api_connections: PositiveInt = Field(default=2000, description="Connections that a worker keeps open.")
    api_body_seconds: PositiveFloat = Field(
        default=10.0, description="How long the body of a request may take, or an answer lie unread."
    )
    api_head_seconds: PositiveFloat = Field(default=10.0, description="How long the head of a request may take.")
    api_handler_seconds: PositiveFloat = Field(
        default=30.0, description="How long an answer may take, other than of a house or of a table."
    )
    api_rate: NonNegativeFloat = Field(default=0.0, description="Requests per second of a key or address; 0: any.")
    api_cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Sites whose pages may ask, separated by commas, such as https://example.org."
    )
    otlp_endpoint: str = Field(
        default="", validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT", description="Where traces go; none where empty."
    )
    model_cache: Path = Field(default=Path("var/api/models"), description="Folder that keeps the last good models.")
    poll_seconds: PositiveFloat = Field(default=2.0, description="How often the registry is asked for its champion.")
    batch_bytes: PositiveInt = Field(default=2**30, description="Longest body of POST /predict/batch. [bytes]")
    batch_folder: Path = Field(default=Path("var/api/spool"), description="Where long bodies wait until they are read.")
    batch_threads: PositiveInt = Field(default=1, description="Tables that are worked on at the same moment.")
    batch_waiting: PositiveInt = Field(
        default=8, description="Tables that may wait or be worked on at the same moment."
    )
    ledger_url: str = Field(default="sqlite:///var/ledger.db", description="Where batches and decisions are kept.")
    prediction_log: Path = Field(
        default=Path("var/api/predictions"), description="Folder in which every answer is on record before it leaves."
    )
    prediction_log_sync: SyncPolicy = Field(
        default=SyncPolicy.GROUP,
        description="When a record is on the disk itself: group within 50 ms, always before the answer leaves.",
    )
    feed_url: AnyHttpUrl | None = Field(
        default=None, description="Where the listing API is, to tell whether it answers; not asked where it is not set."
    )
    airflow_url: AnyHttpUrl | None = Field(
        default=None, description="Where Airflow's API server is, to tell whether it answers."
    )
    tracking_uri: str = Field(
        default="sqlite:///var/mlflow/mlflow.db",
        validation_alias="MLFLOW_TRACKING_URI",
        description="Where MLflow's registry is.",
    )

    @field_validator("api_cors_origins", mode="before")
    @classmethod
    def _split(cls, given: Any) -> Any:
        """Take a text apart at its commas."""
        return tuple(part.strip() for part in given.split(",") if part.strip()) if isinstance(given, str) else given

    @field_validator("api_cors_origins")
    @classmethod
    def _named(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        """Let no star in: pages of every site would act for whoever looks at them."""
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin such as https://example.org; name each site")
        return origins

    @model_validator(mode="after")
    def _closed(self) -> Self:
        """Refuse to listen where others can reach it, without keys or with a password out of an example."""
        if is_loopback(self.api_host):
            return self
        if self.api_keys is None:
            raise ValueError(
                f"APPRAISER_API_HOST={self.api_host} can be reached from elsewhere, so APPRAISER_API_KEYS must name a "
                "file of API keys; './appraiser keys create NAME --scope predict' writes it"
            )
        password = urlsplit(self.ledger_url).password
        if password is not None and password in _KNOWN_PASSWORDS:
            raise ValueError(
                "APPRAISER_LEDGER_URL has a password that stands in examples, which is for local use only; choose "
                "another"
            )
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
