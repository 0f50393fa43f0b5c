"""The DAG that waits for the listing API and then asks for one batch; waiting costs no worker's slot."""

import os

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import dag

from appraiser_pipeline.orchestration.alert import Alert
from appraiser_pipeline.orchestration.feed import WaitForFeed

DOCUMENTATION = """
# Waits for the listing API, then takes one batch

`wait_for_feed` -> `take_batch`, a run of `house_price_pipeline`

* The wait begins and ends in Airflow's triggerer, which has to run: it asks `GET /` every 30 seconds and never
  `GET /data`, which would move the source's cursor. After 24 hours without an answer it fails, and an alert is told.
* **Schedule**: `APPRAISER_FEED_SCHEDULE`, a cron expression or `@hourly`; without it, only when somebody triggers it.
* A source without a further batch is no failure: the run of the pipeline is skipped then.
"""


@dag(
    dag_id="house_price_feed",
    schedule=os.environ.get("APPRAISER_FEED_SCHEDULE") or None,
    # No start date: a new Airflow does not make up for what has passed.
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={"owner": "appraiser", "on_failure_callback": Alert()},
    doc_md=DOCUMENTATION,
    tags=["house-price"],
    description="Waits for the listing API in the triggerer, then takes one batch",
)
def house_price_feed() -> None:
    """Wire the wait and what it waits for."""
    take = TriggerDagRunOperator(task_id="take_batch", trigger_dag_id="house_price_pipeline", logical_date=None)
    WaitForFeed(task_id="wait_for_feed") >> take


house_price_feed()
