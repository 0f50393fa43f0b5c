"""What can be set from outside."""

from pathlib import Path

from pydantic import Field, NonNegativeInt, PositiveFloat
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of the API, read once from the environment; the names are those of the fields with `APPRAISER_`."""

    model_config = SettingsConfigDict(env_prefix="APPRAISER_", frozen=True, populate_by_name=True)

    api_host: str = Field(default="127.0.0.1", description="Address to listen on.")
    api_port: NonNegativeInt = Field(default=8000, le=65_535, description="Port to listen on; 0 takes a free one.")
    model_cache: Path = Field(default=Path("var/api/models"), description="Folder that keeps the last good models.")
    poll_seconds: PositiveFloat = Field(default=2.0, description="How often the registry is asked for its champion.")
    ledger_url: str = Field(default="sqlite:///var/ledger.db", description="Where batches and decisions are kept.")
    tracking_uri: str = Field(
        default="sqlite:///var/mlflow/mlflow.db",
        validation_alias="MLFLOW_TRACKING_URI",
        description="Where MLflow's registry is.",
    )
