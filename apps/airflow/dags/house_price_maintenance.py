"""The DAG that cleans up by the written retention policy."""

import datetime as dt

from airflow.sdk import CronTriggerTimetable, Param, dag, get_current_context, task

from appraiser_pipeline.orchestration.alert import Alert
from appraiser_pipeline.orchestration.pools import LAKE
from appraiser_pipeline.orchestration.retries import RETRIES, StepRetries
from appraiser_pipeline.orchestration.running import opened

DOCUMENTATION = """
# Cleans up

Every Sunday at three (UTC), by the retention policy in `policy.py`:

* snapshots of the lake that are older than 30 days and that no batch, decision, evaluation or model version names;
* appraisals in the ledger, only where `prediction_days` is set;
* what a person deleted in MLflow more than 30 days ago, where its database is known to Airflow.

Bytes as received, batches, decisions and model versions are kept for good. What would go: trigger with `only_tell`, or
`./appraiser maintenance clean --dry-run`.
"""


CLOCK = CronTriggerTimetable("0 3 * * 0", timezone="UTC", run_immediately=dt.timedelta(0))
"""A new Airflow waits for the next time: with a start date, or by default, it would make up for one that has passed."""


@task(retries=RETRIES, retry_policy=StepRetries(), pool=LAKE)
def clean() -> list[dict[str, object]]:
    """Remove what the policy lets go; the log has a line for each kind."""
    from appraiser_pipeline import retention

    with opened() as stores:
        found = retention.clean(stores, dry_run=get_current_context()["params"]["only_tell"])
    return [part.model_dump() for part in found.parts]


@dag(
    dag_id="house_price_maintenance",
    schedule=CLOCK,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={"owner": "appraiser", "on_failure_callback": Alert()},
    doc_md=DOCUMENTATION,
    tags=["house-price"],
    params={
        "only_tell": Param(default=False, type="boolean", title="Only tell", description="Tell what would go."),
        "policy": Param(
            default={},
            type="object",
            title="Rules",
            description='In the place of the configured ones, for this run, such as {"snapshot_days": 7}.',
        ),
    },
    description="Cleans up by the written retention policy",
)
def house_price_maintenance() -> None:
    """One task."""
    clean()


house_price_maintenance()
