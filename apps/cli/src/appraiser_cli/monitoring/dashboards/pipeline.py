"""The pipeline: what came, what became of it, and whether Airflow works."""

from typing import Final

from appraiser_cli.monitoring.dashboards.panels import Dashboard, Panel, Query, Row, Unit

_NOW: Final = Row(
    "Now",
    (
        Panel(
            "Newest batch",
            (Query("max(appraiser_pipeline_last_batch_number)", "number"),),
            Unit.NUMBER,
            "Its number; the source counts from 0.",
            stat=True,
            width=4,
        ),
        Panel(
            "Age of the newest batch",
            (Query("time() - max(appraiser_pipeline_last_batch_received_timestamp_seconds)", "age"),),
            Unit.SECONDS,
            "Above 26 hours, from a source that did not say it had no more, is the alert PipelineLate.",
            limits=(26 * 3_600,),
            stat=True,
            width=4,
        ),
        Panel(
            "The source has",
            (Query("max(appraiser_pipeline_source_exhausted)", "source"),),
            Unit.NUMBER,
            "What it said when it was asked last.",
            stat=True,
            width=4,
            words={"0": "more", "1": "no more"},
        ),
        Panel(
            "Unfinished for",
            (Query("max(appraiser_pipeline_unfinished_age_seconds)", "age"),),
            Unit.SECONDS,
            "How long ago the oldest batch without a decision landed. Above an hour is the alert PipelineStuck.",
            limits=(3_600,),
            stat=True,
            width=4,
        ),
        Panel(
            "Refused of the newest batch",
            (Query("max(appraiser_pipeline_last_batch_quarantine_ratio)", "refused"),),
            Unit.SHARE,
            "Above 5 % is the alert QuarantineShare, above 20 % the batch is stopped.",
            limits=(0.05,),
            stat=True,
            width=4,
        ),
        Panel(
            "Ledger",
            (Query("min(appraiser_ledger_up)", "ledger"),),
            Unit.NUMBER,
            "Whether its database answered just now.",
            limits=(1,),
            low=True,
            stat=True,
            width=4,
            words={"0": "away", "1": "there"},
        ),
    ),
)

_BATCHES: Final = Row(
    "Batches",
    (
        Panel(
            "Batches by status",
            (Query("sum by (status) (appraiser_pipeline_batches)", "{{status}}"),),
            Unit.NUMBER,
            "stopped were unfit for use; landed and validated are on their way.",
        ),
        Panel(
            "Rows by what became of them",
            (Query("sum by (kind) (appraiser_pipeline_rows)", "{{kind}}"),),
            Unit.NUMBER,
            "Of all batches. Quarantined rows keep the rule that they broke; duplicates repeat a row.",
        ),
        Panel(
            "Decisions",
            (Query("sum by (kind, outcome) (appraiser_pipeline_decisions)", "{{kind}}: {{outcome}}"),),
            Unit.NUMBER,
            "Of a batch there are up to two.",
        ),
    ),
)

_SOURCE: Final = Row(
    "The source",
    (
        Panel(
            "Questions by how they ended",
            (Query("sum by (outcome) (appraiser_pipeline_fetches)", "{{outcome}}"),),
            Unit.NUMBER,
            "lost got no whole answer and is repaired by a replay; two in an hour are the alert FetchesLost.",
        ),
        Panel(
            "What the feed answered",
            (Query("sum by (outcome) (appraiser_feed_answers_total)", "{{outcome}}"),),
            Unit.NUMBER,
            "Since the feed was started; dropped are faults on purpose.",
        ),
        Panel(
            "What the feed sent",
            (
                Query("sum(appraiser_feed_rows_total)", "rows"),
                Query("max(appraiser_feed_batches)", "batches that there are"),
                Query("max(appraiser_feed_last_batch_number)", "number of the last batch"),
            ),
            Unit.NUMBER,
            "Since the feed was started.",
        ),
    ),
)

_AIRFLOW: Final = Row(
    "Airflow",
    (
        Panel(
            "Heartbeats",
            (
                Query("sum(rate(airflow_scheduler_heartbeat[5m]))", "scheduler"),
                Query("sum(rate(airflow_dag_processor_heartbeat[5m]))", "DAG processor"),
            ),
            Unit.COUNT_PER_SECOND,
            "The scheduler beats every 5 s; none for two minutes is the alert SchedulerDown.",
        ),
        Panel(
            "Tasks that ended in the last hour",
            (Query("sum by (state) (increase(airflow_ti_finish[1h]))", "{{state}}"),),
            Unit.NUMBER,
            "up_for_retry is tried again; failed is not.",
        ),
        Panel(
            "Length of a run",
            (
                Query(
                    "sum by (dag_id) (rate(airflow_dagrun_duration_success_sum[1h]))"
                    " / sum by (dag_id) (rate(airflow_dagrun_duration_success_count[1h]))",
                    "{{dag_id}}",
                ),
                Query(
                    "sum by (dag_id) (rate(airflow_dagrun_duration_failed_sum[1h]))"
                    " / sum by (dag_id) (rate(airflow_dagrun_duration_failed_count[1h]))",
                    "{{dag_id}}, failed",
                ),
            ),
            Unit.SECONDS,
            "Mean over an hour.",
        ),
        Panel(
            "Executor",
            (
                Query("sum(airflow_executor_running_tasks)", "running"),
                Query("sum(airflow_executor_queued_tasks)", "queued"),
                Query("sum(airflow_executor_open_slots)", "free"),
            ),
            Unit.NUMBER,
            "Tasks that run, that wait, and how many more could run.",
        ),
        Panel(
            "Loop of the scheduler",
            (
                Query(
                    "sum(rate(airflow_scheduler_scheduler_loop_duration_sum[5m]))"
                    " / sum(rate(airflow_scheduler_scheduler_loop_duration_count[5m]))",
                    "mean",
                ),
            ),
            Unit.SECONDS,
            "How long it takes to look once at everything that could start.",
        ),
        Panel(
            "DAG files that cannot be imported",
            (Query("max(airflow_dag_processing_import_errors)", "files"),),
            Unit.NUMBER,
            "Any for five minutes is the alert DagsBroken.",
            limits=(1,),
        ),
    ),
)

PIPELINE: Final = Dashboard(
    "pipeline",
    "Appraiser: pipeline",
    "Do batches come, are they fit for use, do they get to a decision?",
    ("pipeline",),
    (_NOW, _BATCHES, _SOURCE, _AIRFLOW),
)
