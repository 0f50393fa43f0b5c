"""What can be set from outside."""

from pathlib import Path

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from appraiser_api.prediction_log import SyncPolicy


class Settings(BaseSettings):
    """Settings of the API, read once from the environment; the names are those of the fields with `APPRAISER_`."""

    model_config = SettingsConfigDict(env_prefix="APPRAISER_", frozen=True, populate_by_name=True)

    api_host: str = Field(default="127.0.0.1", description="Address to listen on.")
    api_port: NonNegativeInt = Field(default=8000, le=65_535, description="Port to listen on; 0 takes a free one.")
    model_cache: Path = Field(default=Path("var/api/models"), description="Folder that keeps the last good models.")
    poll_seconds: PositiveFloat = Field(default=2.0, description="How often the registry is asked for its champion.")
    batch_bytes: PositiveInt = Field(default=2**30, description="Longest body of POST /predict/batch. [bytes]")
    batch_folder: Path = Field(default=Path("var/api/spool"), description="Where long bodies wait until they are read.")
    batch_threads: PositiveInt = Field(default=1, description="Tables that are worked on at the same moment.")
    ledger_url: str = Field(default="sqlite:///var/ledger.db", description="Where batches and decisions are kept.")
    prediction_log: Path = Field(
        default=Path("var/api/predictions"), description="Folder in which every answer is on record before it leaves."
    )
    prediction_log_sync: SyncPolicy = Field(
        default=SyncPolicy.GROUP,
        description="When a record is on the disk itself: group within 50 ms, always before the answer leaves.",
    )
    tracking_uri: str = Field(
        default="sqlite:///var/mlflow/mlflow.db",
        validation_alias="MLFLOW_TRACKING_URI",
        description="Where MLflow's registry is.",
    )
