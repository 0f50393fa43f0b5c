"""Links of a task in Airflow's page: to the run and version in MLflow, and to batch and version in the API."""

from typing import TYPE_CHECKING, Annotated, Any, Final

from airflow.sdk import BaseOperatorLink
from pydantic import AnyHttpUrl, BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from appraiser_pipeline.settings import empty_is_none

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

MODEL: Final = "model"
"""Key under which `train_model` tells the version and the run that it made."""

TRAIN: Final = "train_model"
FETCH: Final = "fetch_batch"


class LinkSettings(BaseSettings):
    """Under which addresses people reach what tasks reach under others, as in a cluster."""

    model_config = SettingsConfigDict(env_prefix="APPRAISER_", frozen=True, extra="ignore", populate_by_name=True)

    mlflow_url: Annotated[AnyHttpUrl | None, BeforeValidator(empty_is_none)] = Field(
        default=None, description="MLflow's page; empty: MLFLOW_TRACKING_URI where that is a server."
    )
    api_url: Annotated[AnyHttpUrl | None, BeforeValidator(empty_is_none)] = Field(
        default=None, description="The API; empty: no links to it."
    )
    mlflow_tracking_uri: str = Field(default="", validation_alias="MLFLOW_TRACKING_URI")

    @property
    def mlflow(self) -> str:
        """Address of MLflow's page without its last slash; empty where there is none."""
        if self.mlflow_url is not None:
            return str(self.mlflow_url).rstrip("/")
        return self.mlflow_tracking_uri.rstrip("/") if self.mlflow_tracking_uri.startswith("http") else ""

    @property
    def api(self) -> str:
        """Address of the API without its last slash; empty where it is not known."""
        return "" if self.api_url is None else str(self.api_url).rstrip("/")


class RunLink(BaseOperatorLink):
    """To the run that made the batch's version."""

    name = "Run in MLflow"

    def get_link(self, operator: "BaseOperator", *, ti_key: Any) -> str:
        """The address; empty where no model was trained."""
        del operator
        base, made = LinkSettings().mlflow, _made(ti_key)
        return f"{base}/#/runs/{made['run_id']}" if base and made else ""


class ModelLink(BaseOperatorLink):
    """To the batch's version as the API tells it."""

    name = "Model in the API"

    def get_link(self, operator: "BaseOperator", *, ti_key: Any) -> str:
        """The address; empty where no model was trained."""
        del operator
        base, made = LinkSettings().api, _made(ti_key)
        return f"{base}/models/{made['version']}" if base and made else ""


class BatchLink(BaseOperatorLink):
    """To the batch as the API tells it."""

    name = "Batch in the API"

    def get_link(self, operator: "BaseOperator", *, ti_key: Any) -> str:
        """The address; empty where there was no batch."""
        del operator
        base, number = LinkSettings().api, ti_key.xcom_pull(task_ids=FETCH)
        return f"{base}/batches/{number}" if base and number is not None else ""


def _made(instance: Any) -> dict[str, Any] | None:
    """Version and run of the model that this run has trained."""
    found: dict[str, Any] | None = instance.xcom_pull(task_ids=TRAIN, key=MODEL)
    return found
