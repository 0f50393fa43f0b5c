"""Tells people of a failed task: an error in its log, a count in Airflow's metrics and, where one is set, a webhook."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import httpx
import structlog
from airflow.sdk import BaseNotifier
from airflow.sdk.observability import stats
from pydantic import AnyHttpUrl, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from appraiser_pipeline.settings import empty_is_none

if TYPE_CHECKING:
    from airflow.sdk import Context

TIMEOUT_SECONDS: Final = 10.0
ERROR_LENGTH: Final = 1_000
"""Longer texts of an error are cut; the log has the whole."""

log = structlog.get_logger()


class AlertSettings(BaseSettings):
    """Apart from the pipeline's: a wrong setting there is what an alert may have to tell of."""

    model_config = SettingsConfigDict(env_prefix="APPRAISER_ALERT_", frozen=True, extra="ignore")

    webhook: Annotated[AnyHttpUrl | None, BeforeValidator(empty_is_none)] = Field(
        default=None,
        repr=False,
        description="Address that each failure is posted to as JSON, with a field 'text' as Slack, Mattermost and "
        "Teams' workflows read it; a secret, for who knows it can post. Empty: nobody.",
    )


class Alert(BaseNotifier):
    """The callback of a task that has failed after all its tries. What fails here is logged."""

    def notify(self, context: "Context") -> None:
        """Tell of the task that a context is about."""
        facts = facts_of(context)
        stats.incr("appraiser.alert", tags={name: facts[name] for name in ("dag_id", "task_id")})
        log.error("alert", **facts)
        try:
            webhook = AlertSettings().webhook
            if webhook is not None:
                httpx.post(str(webhook), json=facts, timeout=TIMEOUT_SECONDS).raise_for_status()
        except ValidationError as error:
            log.warning("alert_not_sent", error=f"APPRAISER_ALERT_WEBHOOK: {error.errors()[0]['msg']}")
        except httpx.HTTPStatusError as error:
            log.warning("alert_not_sent", error=f"the webhook answers {error.response.status_code}")
        except httpx.HTTPError as error:
            # Not its words: they may hold the address, which is a secret.
            log.warning("alert_not_sent", error=f"the webhook does not answer: {type(error).__name__}")


def facts_of(context: "Context") -> dict[str, Any]:
    """What is told of a failure: one sentence, and the same as fields."""
    instance: Any = context.get("ti") or context.get("task_instance")
    error = context.get("exception") or context.get("reason") or "the task ended without a word"
    told = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    told = told[:ERROR_LENGTH]
    where = f"{instance.dag_id}.{instance.task_id}"
    return {
        "text": f"{where} failed at try {instance.try_number} of run {instance.run_id}: {told}",
        "dag_id": instance.dag_id,
        "task_id": instance.task_id,
        "run_id": instance.run_id,
        "try_number": instance.try_number,
        "error": told,
        "log_url": getattr(instance, "log_url", None),
    }
