"""Settings of the command, read once from the environment when it starts."""

from pathlib import Path
from typing import Any, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from appraiser_cli.errors import UsageError
from appraiser_cli.home import ROOT, Home


class Settings(BaseSettings):
    """Where the state lies and which ports are asked for. Environment variables start with `APPRAISER_`."""

    model_config = SettingsConfigDict(env_prefix="APPRAISER_", frozen=True, extra="ignore", populate_by_name=True)

    home: Path = Field(default=ROOT / "var", description="State folder.")
    feed_port: int = Field(default=8001, ge=0, le=65_535, description="0 takes any free port.")
    mlflow_port: int = Field(default=5000, ge=0, le=65_535)
    airflow_port: int = Field(default=8080, ge=0, le=65_535)
    api_port: int = Field(default=8000, ge=0, le=65_535)
    ui_port: int = Field(default=8501, ge=0, le=65_535)
    postgresql_port: int = Field(default=5432, ge=0, le=65_535)
    seaweedfs_port: int = Field(default=8333, ge=0, le=65_535)
    pipeline_metrics_port: int = Field(default=9108, ge=0, le=65_535)
    prometheus_port: int = Field(default=9090, ge=0, le=65_535)
    ledger_url: str | None = Field(default=None, repr=False, description="None: that of the state folder.")
    mlflow_tracking_uri: str | None = Field(
        default=None, validation_alias="MLFLOW_TRACKING_URI", description="None: what runs, or the file."
    )
    postgresql_url: str | None = Field(
        default=None, repr=False, description="Server to use in the place of one of our own; databases are made there."
    )
    lake_catalog_url: str | None = Field(default=None, repr=False, description="Database of the lake's catalog.")
    lake_warehouse: str = Field(default="s3://lake/warehouse", pattern="^s3://[^/]+", description="The lake's files.")
    mlflow_database_url: str | None = Field(
        default=None, repr=False, validation_alias="MLFLOW_BACKEND_STORE_URI", description="Database of MLflow."
    )
    mlflow_artifacts: str = Field(
        default="s3://mlflow",
        pattern="^s3://[^/]+",
        validation_alias="MLFLOW_ARTIFACTS_DESTINATION",
        description="MLflow's artifacts.",
    )
    airflow_database_url: str | None = Field(
        default=None,
        repr=False,
        validation_alias="AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
        description="Database of Airflow.",
    )
    s3_endpoint: str | None = Field(
        default=None,
        validation_alias="AWS_ENDPOINT_URL_S3",
        description="Object store to use in the place of one of our own.",
    )
    s3_access_key_id: str = Field(default="", repr=False, validation_alias="AWS_ACCESS_KEY_ID")
    s3_secret_access_key: str = Field(default="", repr=False, validation_alias="AWS_SECRET_ACCESS_KEY")
    s3_region: str = Field(default="us-east-1", validation_alias="AWS_REGION")

    @model_validator(mode="wrap")
    @classmethod
    def _told(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Turn a wrong value into wrong usage of its variable."""
        try:
            return handler(values)
        except ValidationError as error:
            told = "; ".join(
                f"{_variable(str(fault['loc'][0]))}={fault['input']!r}: {fault['msg'].lower()}"
                for fault in error.errors()
            )
            raise UsageError(f"{told}. Set it to such a value, or unset it for its default.") from None

    def state(self, folder: Path | None) -> Home:
        """The state folder that an option named, or the configured one."""
        return Home((folder or self.home).expanduser().absolute())

    def port(self, service: str) -> int:
        """The port asked for by a service's name, such as 'feed'."""
        return int(getattr(self, f"{service.replace('-', '_')}_port"))


def _variable(name: str) -> str:
    return name if name.isupper() else f"APPRAISER_{name.upper()}"
