"""Waits for the listing API in Airflow's triggerer: as many waits as one likes in one process, and no worker's slot."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

import httpx
from airflow.sdk import BaseOperator
from airflow.triggers.base import BaseTrigger, StartTriggerArgs, TaskSuccessEvent, TriggerEvent

if TYPE_CHECKING:
    from airflow.sdk import Context

INTERVAL: Final = dt.timedelta(seconds=30)
PATIENCE: Final = dt.timedelta(hours=24)
"""After which the task fails, so that somebody is told."""

_TIMEOUT_SECONDS: Final = 10.0


class FeedTrigger(BaseTrigger):
    """Fires when the listing API answers.

    It asks `GET /`, who the source is, and never `GET /data`, which moves the source's cursor: whether there is a
    further batch only the fetch can tell. The address is that of the triggerer's own settings.

    Args:
        interval_seconds: Between two questions.
    """

    def __init__(self, interval_seconds: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as Airflow has it
        self.interval_seconds = interval_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """As Airflow keeps it while it waits."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {"interval_seconds": self.interval_seconds}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask until somebody answers; then the task has succeeded, without a worker."""
        from appraiser_pipeline.settings import Settings  # noqa: PLC0415 - the DAG processor reads no settings

        url = str(Settings().feed_url).rstrip("/")
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
            while (problem := await _problem(client, url)) is not None:
                self.log.info("the listing API at %s is not there yet (%s)", url, problem)
                await asyncio.sleep(self.interval_seconds)
        self.log.info("the listing API at %s answers", url)
        yield TaskSuccessEvent()


class WaitForFeed(BaseOperator):
    """Waits until the listing API answers; the task begins and ends in the triggerer."""

    start_from_trigger = True
    start_trigger_args = StartTriggerArgs(
        trigger_cls=f"{FeedTrigger.__module__}.{FeedTrigger.__qualname__}",
        trigger_kwargs={"interval_seconds": INTERVAL.total_seconds()},
        next_method="end",
        next_kwargs=None,
        timeout=PATIENCE,
    )

    def execute(self, context: "Context") -> None:
        """Hand over to the triggerer, where a task begins in a worker after all, as under `dags test`."""
        del context
        self.defer(trigger=FeedTrigger(INTERVAL.total_seconds()), method_name="end", timeout=PATIENCE)

    def end(self, context: "Context", event: object = None) -> None:
        """Nothing is left to do."""


async def _problem(client: httpx.AsyncClient, url: str) -> str | None:
    try:
        response = await client.get(url)
    except httpx.HTTPError as error:
        return type(error).__name__
    return None if response.is_success else f"status {response.status_code}"
