"""The plugin that Airflow finds by its entry point: it makes our pools whenever a part of Airflow starts."""

import sys
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

from appraiser_pipeline.orchestration.pools import is_job, make_pools


@hookimpl
def on_starting(component: Any) -> None:
    """Make the pools, before the scheduler looks for tasks."""
    if is_job(component):
        make_pools()


class AppraiserPlugin(AirflowPlugin):
    """Listens to Airflow's own life."""

    name = "appraiser"
    listeners = [sys.modules[__name__]]  # noqa: RUF012 - as Airflow declares it
