"""What can be set from outside: where the source and the stores are, and the policies."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AnyHttpUrl, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from appraiser_pipeline.policy import (
    MonitoringPolicy,
    PromotionPolicy,
    RetentionPolicy,
    TrainingPolicy,
    ValidationPolicy,
)


def empty_is_none(value: object) -> object:
    """An empty variable is one that was not set."""
    return None if value == "" else value


class Settings(BaseSettings):
    """Settings of the pipeline, read once from variables that start with APPRAISER_."""

    model_config = SettingsConfigDict(
        env_prefix="APPRAISER_", env_nested_delimiter="__", frozen=True, extra="ignore", populate_by_name=True
    )

    feed_url: AnyHttpUrl = Field(default=AnyHttpUrl("http://127.0.0.1:8001"), description="Address of the listing API.")
    feed_group: int = Field(default=1, ge=1, le=10, description="Group number that the listing API counts for.")
    feed_day: Annotated[Literal["Tuesday", "Wednesday"] | None, BeforeValidator(empty_is_none)] = Field(
        default="Tuesday", description="Day that the listing API counts for; empty for editions without a day."
    )
    feed_timeout: dt.timedelta = Field(
        default=dt.timedelta(minutes=5),
        description="How long the listing API may be silent. The largest batch of the original took 52 s.",
    )
    lake: Path = Field(
        default=Path("var/lake"),
        description="Folder of the lake: bytes as received, and the tables unless they are elsewhere.",
    )
    lake_catalog_url: Annotated[SecretStr | None, BeforeValidator(empty_is_none)] = Field(
        default=None, description="SQLAlchemy address of the tables' catalog; empty: in the folder."
    )
    lake_warehouse: Annotated[str | None, BeforeValidator(empty_is_none)] = Field(
        default=None, pattern="^s3://[^/]+", description="Where the tables' files are, such as s3://lake/warehouse."
    )
    s3_endpoint: str = Field(
        default="", validation_alias="AWS_ENDPOINT_URL_S3", description="Address of the S3 service; empty: Amazon's."
    )
    s3_access_key_id: str = Field(default="", validation_alias="AWS_ACCESS_KEY_ID", description="Who asks it.")
    s3_secret_access_key: SecretStr = Field(
        default=SecretStr(""), validation_alias="AWS_SECRET_ACCESS_KEY", description="The secret of that name."
    )
    s3_region: str = Field(default="us-east-1", validation_alias="AWS_REGION", description="Region of the bucket.")
    ledger_url: str = Field(default="sqlite:///var/ledger.db", description="SQLAlchemy address of the ledger.")
    mlflow_tracking_uri: str = Field(
        default="sqlite:///var/mlflow/mlflow.db",
        validation_alias="MLFLOW_TRACKING_URI",
        description="MLflow's server or database.",
    )
    mlflow_store_uri: Annotated[SecretStr | None, BeforeValidator(empty_is_none)] = Field(
        default=None,
        description="MLflow's database, for `mlflow gc`, where MLFLOW_TRACKING_URI is a server; empty: that is left to "
        "who has it.",
    )
    code_version: str | None = Field(default=None, description="Commit of this code; asked of git where unset.")
    threads: int = Field(default=2, ge=1, description="Threads for training.")
    seed: int = Field(default=1, ge=0, description="Seed of the training.")
    dry_run: bool = Field(
        default=False, description="Whether it is only told what would be promoted or rejected, and no alias moves."
    )
    tuning_trials: int = Field(
        default=0,
        ge=0,
        description="Models that are trained in search of the best parameters before one is trained to be registered; "
        "0 takes the defaults.",
    )
    retrain_reason: str = Field(
        default="",
        max_length=500,
        description="Why a model is to be trained on the next batch whatever the rules say; empty: the rules decide.",
    )
    validation_policy: ValidationPolicy = ValidationPolicy()
    training_policy: TrainingPolicy = TrainingPolicy()
    promotion_policy: PromotionPolicy = PromotionPolicy()
    monitoring_policy: MonitoringPolicy = MonitoringPolicy()
    retention_policy: RetentionPolicy = RetentionPolicy()

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        """Tables are below the folder, or their catalog and their files are both elsewhere."""
        if (self.lake_catalog_url is None) != (self.lake_warehouse is None):
            raise ValueError(
                "APPRAISER_LAKE_CATALOG_URL and APPRAISER_LAKE_WAREHOUSE belong together: set both, or neither for "
                "tables below APPRAISER_LAKE"
            )
        return self
