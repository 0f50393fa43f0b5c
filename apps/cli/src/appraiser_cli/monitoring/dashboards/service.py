"""The API: how much it is asked, how fast and how well it answers, and what waits for the ledger."""

from typing import Final

from appraiser_cli.monitoring.dashboards.panels import Dashboard, Panel, Query, Row, Unit

_PREDICT: Final = 'appraiser_request_seconds_bucket{job="api",route="/predict"}'
_ASKED: Final = 'job="api",route!~"/health/.*|/metrics"'


def _quantile(share: float, by: str = "le", series: str = _PREDICT) -> str:
    return f"histogram_quantile({share}, sum by ({by}) (rate({series}[5m])))"


_NOW: Final = Row(
    "Now",
    (
        Panel(
            "Instances that answer",
            (Query('sum(up{job="api"})', "instances"),),
            Unit.NUMBER,
            "Instances of the API whose metrics Prometheus gets. None for two minutes is the alert ApiDown.",
            limits=(1,),
            low=True,
            stat=True,
            width=4,
        ),
        Panel(
            "Version that serves",
            (Query('max(appraiser_champion_version{job="api"})', "version"),),
            Unit.NUMBER,
            "Version of the model. Without one for five minutes is the alert NoChampion.",
            limits=(1,),
            low=True,
            stat=True,
            width=4,
            words={"0": "none"},
        ),
        Panel(
            "Requests",
            (Query("appraiser:requests:rate5m", "requests"),),
            Unit.PER_SECOND,
            "Without probes and scrapes, over five minutes.",
            stat=True,
            width=4,
        ),
        Panel(
            "Failures of ours",
            (Query("appraiser:request_errors:ratio_rate5m", "failures"),),
            Unit.SHARE,
            "Share of 5xx over five minutes. Above 1.44 % in the hour too is the alert ApiErrors.",
            limits=(0.0144,),
            stat=True,
            width=4,
        ),
        Panel(
            "One appraisal in a hundred takes",
            (Query("appraiser:predict_seconds:p99_5m", "p99"),),
            Unit.SECONDS,
            "The 99th percentile of POST /predict over five minutes. Above 100 ms is the alert ApiSlow.",
            limits=(0.1,),
            stat=True,
            width=4,
        ),
        Panel(
            "MLflow",
            (Query('min(appraiser_registry_up{job="api"})', "registry"),),
            Unit.NUMBER,
            "Whether every instance got an answer when it last asked for the champion.",
            limits=(1,),
            low=True,
            stat=True,
            width=4,
            words={"0": "away", "1": "there"},
        ),
    ),
)

_REQUESTS: Final = Row(
    "Requests",
    (
        Panel(
            "Requests by route",
            (Query(f"sum by (route) (rate(appraiser_requests_total{{{_ASKED}}}[5m]))", "{{route}}"),),
            Unit.PER_SECOND,
            "Routes are templates: whatever is asked, there are only as many as the API has.",
        ),
        Panel(
            "Answers by status",
            (Query(f"sum by (status) (rate(appraiser_requests_total{{{_ASKED}}}[5m]))", "{{status}}"),),
            Unit.PER_SECOND,
            "4xx is what a client did wrong, 5xx a failure of ours.",
        ),
        Panel(
            "Refusals by reason",
            (Query('sum by (reason) (rate(appraiser_refusals_total{job="api"}[5m]))', "{{reason}}"),),
            Unit.PER_SECOND,
            "Refused before they were looked at: keys, rates, sizes, too much at a time. Nothing here is good.",
        ),
    ),
)

_TIME: Final = Row(
    "Time to answer",
    (
        Panel(
            "POST /predict",
            (Query(_quantile(0.5), "half"), Query(_quantile(0.95), "95 of 100"), Query(_quantile(0.99), "99 of 100")),
            Unit.SECONDS,
            "Half, 95 and 99 of a hundred appraisals are as fast as this or faster.",
            limits=(0.1,),
        ),
        Panel(
            "99 of 100, by route",
            (Query(_quantile(0.99, "le, route", f"appraiser_request_seconds_bucket{{{_ASKED}}}"), "{{route}}"),),
            Unit.SECONDS,
            "Tables take as long as they are long.",
        ),
        Panel(
            "99 of 100 of /predict, by version",
            (Query(_quantile(0.99, "le, model_version"), "version {{model_version}}"),),
            Unit.SECONDS,
            "A new version with many more trees shows here; 'none' are refusals.",
        ),
    ),
)

_RECORD: Final = Row(
    "On record",
    (
        Panel(
            "Age of the oldest record that waits",
            (Query('max by (instance) (appraiser_prediction_backlog_age_seconds{job="api"})', "{{instance}}"),),
            Unit.SECONDS,
            "Appraisals on the disk and not yet in the ledger. Above a minute for five is the alert PredictionBacklog.",
            limits=(60,),
        ),
        Panel(
            "Records that wait, and bytes",
            (
                Query('sum(appraiser_prediction_backlog_records{job="api"})', "records"),
                Query('sum(appraiser_prediction_backlog_bytes{job="api"})', "bytes"),
            ),
            Unit.NUMBER,
            "How much the disk holds for the ledger.",
        ),
        Panel(
            "Shipped, and failures",
            (
                Query('sum(rate(appraiser_predictions_shipped_total{job="api"}[5m]))', "shipped"),
                Query('sum by (reason) (rate(appraiser_prediction_log_failures_total{job="api"}[5m]))', "{{reason}}"),
            ),
            Unit.COUNT_PER_SECOND,
            "ship is tried again; append and sync are answers that were refused; damaged and refused were set aside.",
        ),
    ),
)

_MACHINE: Final = Row(
    "What it uses",
    (
        Panel(
            "Processor",
            (Query('sum by (instance) (rate(process_cpu_seconds_total{job="api"}[5m]))', "{{instance}}"),),
            Unit.NUMBER,
            "Cores, of all workers of an instance.",
        ),
        Panel(
            "Memory",
            (Query('sum by (instance) (process_resident_memory_bytes{job="api"})', "{{instance}}"),),
            Unit.BYTES,
            "Resident memory of all workers of an instance; what they share counts for each.",
        ),
        Panel(
            "Requests in flight, and workers by version",
            (
                Query('sum(appraiser_requests_in_flight{job="api"})', "in flight"),
                Query(
                    'sum by (model_version) (appraiser_workers{job="api"})', "workers with version {{model_version}}"
                ),
            ),
            Unit.NUMBER,
            "Two versions side by side for more than a minute are a worker that cannot load the new one, or a canary.",
        ),
    ),
)

SERVICE: Final = Dashboard(
    "service",
    "Appraiser: service",
    "Does the API answer, correctly, in time, with a model, and does what it answered get on record?",
    ("api",),
    (_NOW, _REQUESTS, _TIME, _RECORD, _MACHINE),
)
