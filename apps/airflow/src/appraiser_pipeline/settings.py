"""What can be set from outside: where the source and the stores are, and the policies."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AnyHttpUrl, BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from appraiser_pipeline.policy import PromotionPolicy, TrainingPolicy, ValidationPolicy


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


class Settings(BaseSettings):
    """Settings of the pipeline, read once from variables that start with APPRAISER_."""

    model_config = SettingsConfigDict(
        env_prefix="APPRAISER_", env_nested_delimiter="__", frozen=True, extra="ignore", populate_by_name=True
    )

    feed_url: AnyHttpUrl = Field(default=AnyHttpUrl("http://127.0.0.1:8001"), description="Address of the listing API.")
    feed_group: int = Field(default=1, ge=1, le=10, description="Group number that the listing API counts for.")
    feed_day: Annotated[Literal["Tuesday", "Wednesday"] | None, BeforeValidator(_empty_is_none)] = Field(
        default="Tuesday", description="Day that the listing API counts for; empty for editions without a day."
    )
    feed_timeout: dt.timedelta = Field(
        default=dt.timedelta(minutes=5),
        description="How long the listing API may be silent. The largest batch of the original took 52 s.",
    )
    lake: Path = Field(default=Path("var/lake"), description="Folder of the lake.")
    ledger_url: str = Field(default="sqlite:///var/ledger.db", description="SQLAlchemy address of the ledger.")
    mlflow_tracking_uri: str = Field(
        default="sqlite:///var/mlflow/mlflow.db",
        validation_alias="MLFLOW_TRACKING_URI",
        description="MLflow's server or database.",
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
    validation_policy: ValidationPolicy = ValidationPolicy()
    training_policy: TrainingPolicy = TrainingPolicy()
    promotion_policy: PromotionPolicy = PromotionPolicy()
