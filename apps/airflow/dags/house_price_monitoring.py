"""The DAG that watches what people ask about, and asks for retraining where that has changed."""

import datetime as dt

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, Label, Param, dag, get_current_context, task

from appraiser_pipeline.orchestration.alert import Alert
from appraiser_pipeline.orchestration.assets import CLEAN_LISTINGS
from appraiser_pipeline.orchestration.retries import RETRIES, StepRetries
from appraiser_pipeline.orchestration.running import opened

DOCUMENTATION = """
# Do people still ask about houses like those that the champion learned from?

`look_at_appraisals` -> `ask_for_retraining` (a run of `house_price_pipeline`) or `nothing_to_ask`

* It runs every morning at six (UTC), and after each batch that was cleaned: an event of the asset `clean.listings`.
* The champion's appraisals of a week are counted by the bins of its training listings; the population stability index
  is the one of the training decision and of the service's metric. Houses asked about one by one and those of tables are
  counted apart; only the former ask for retraining, unless `tables_ask` says otherwise.
* Who asks gives the reason, and it is stored with the decision about the next batch. For a week no second time.
* **Other thresholds for one run**: `policy`, such as `{"most_live_drift": 0.4}`.
"""

CLOCK = CronTriggerTimetable("0 6 * * *", timezone="UTC", run_immediately=dt.timedelta(0))
"""A new Airflow waits for the next time: with a start date, or by default, it would make up for one that has passed."""

REASON = "retrain_reason"


@task.branch(retries=RETRIES, retry_policy=StepRetries())
def look_at_appraisals() -> str:
    """Hold the latest appraisals against the champion's training listings."""
    import structlog

    from appraiser_pipeline.live_drift import live_drift

    with opened() as stores:
        found = live_drift(stores)
    appraisals = {kind.value: count for kind, count in found.appraisals.items()}
    structlog.get_logger().info("looked", champion=found.champion_version, summary=found.summary, **appraisals)
    if not found.retrain_reason:
        return "nothing_to_ask"
    get_current_context()["ti"].xcom_push(REASON, found.retrain_reason)
    return "ask_for_retraining"


@dag(
    dag_id="house_price_monitoring",
    schedule=AssetOrTimeSchedule(timetable=CLOCK, assets=[CLEAN_LISTINGS]),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={"owner": "appraiser", "on_failure_callback": Alert()},
    doc_md=DOCUMENTATION,
    tags=["house-price"],
    params={
        "policy": Param(
            default={},
            type="object",
            title="Thresholds",
            description='In the place of the configured ones, for this run, such as {"most_live_drift": 0.4}.',
        ),
    },
    description="Drift of the houses that people ask about; asks for retraining",
)
def house_price_monitoring() -> None:
    """Wire the look and what follows."""
    reason = f"{{{{ ti.xcom_pull(task_ids='look_at_appraisals', key='{REASON}') }}}}"
    ask = TriggerDagRunOperator(
        task_id="ask_for_retraining",
        trigger_dag_id="house_price_pipeline",
        conf={REASON: reason},
        logical_date=None,
        note=reason,
    )
    look = look_at_appraisals()
    look >> Label("others") >> ask
    look >> Label("alike") >> EmptyOperator(task_id="nothing_to_ask")


house_price_monitoring()
