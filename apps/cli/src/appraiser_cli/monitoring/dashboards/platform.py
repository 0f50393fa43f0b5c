"""What everything stands on: who answers, disks, PostgreSQL, object storage, MLflow, and the watching itself."""

from typing import Final

from appraiser_cli.monitoring.dashboards.panels import Dashboard, Panel, Query, Row, Unit

_ANSWERS: Final = Row(
    "Who answers",
    (
        Panel(
            "Targets that answer",
            (Query("min by (job) (up)", "{{job}}"),),
            Unit.NUMBER,
            "0 where an instance of a service did not give its metrics. Ten minutes are the alert TargetDown.",
            words={"0": "down", "1": "up"},
        ),
        Panel(
            "Memory",
            (Query("sum by (job) (process_resident_memory_bytes)", "{{job}}"),),
            Unit.BYTES,
            "Resident memory of the services that tell it.",
        ),
        Panel(
            "Processor",
            (Query("sum by (job) (rate(process_cpu_seconds_total[5m]))", "{{job}}"),),
            Unit.NUMBER,
            "Cores, of the services that tell it.",
        ),
    ),
)

_DISKS: Final = Row(
    "Disks",
    (
        Panel(
            "Disks that are used, without Kubernetes",
            (Query("max by (volume) (1 - appraiser_volume_free_bytes / appraiser_volume_size_bytes)", "{{volume}}"),),
            Unit.SHARE,
            "Of the disk that the lake lies on. Above 90 % is the alert VolumeFilling.",
            limits=(0.9,),
            width=12,
        ),
        Panel(
            "Volumes that are used, on Kubernetes",
            (
                Query(
                    "max by (namespace, persistentvolumeclaim)"
                    " (1 - kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes)",
                    "{{namespace}}/{{persistentvolumeclaim}}",
                ),
            ),
            Unit.SHARE,
            "What the kubelets tell of each volume. Above 90 % is the alert VolumeFilling.",
            limits=(0.9,),
            width=12,
        ),
    ),
)

_DATABASE: Final = Row(
    "PostgreSQL: as CloudNativePG tells it on Kubernetes, as postgres-exporter does in compose",
    (
        Panel(
            "Connections",
            (
                Query("sum(cnpg_backends_total) or sum(pg_stat_activity_count)", "taken"),
                Query(
                    'sum(cnpg_pg_settings_setting{name="max_connections"}) or sum(pg_settings_max_connections)',
                    "there are",
                ),
            ),
            Unit.NUMBER,
            "Above 80 % is the alert DatabaseConnections.",
        ),
        Panel(
            "Size",
            (Query("max by (datname) (cnpg_pg_database_size_bytes or pg_database_size_bytes)", "{{datname}}"),),
            Unit.BYTES,
            "By database.",
        ),
        Panel(
            "Transactions",
            (
                Query(
                    "sum by (datname) (rate(cnpg_pg_stat_database_xact_commit[5m])"
                    " or rate(pg_stat_database_xact_commit[5m]))",
                    "{{datname}}",
                ),
            ),
            Unit.COUNT_PER_SECOND,
            "Committed, by database.",
        ),
    ),
)

_STORAGE: Final = Row(
    "Object storage",
    (
        Panel(
            "Requests by status",
            (Query("sum by (code) (rate(SeaweedFS_s3_request_total[5m]))", "{{code}}"),),
            Unit.PER_SECOND,
            "5xx above 1 % is the alert StorageErrors.",
        ),
        Panel(
            "Time to answer, 99 of 100",
            (
                Query(
                    "histogram_quantile(0.99, sum by (le, type) (rate(SeaweedFS_s3_request_seconds_bucket[5m])))",
                    "{{type}}",
                ),
            ),
            Unit.SECONDS,
            "By kind of request.",
        ),
        Panel(
            "Size of the buckets",
            (Query("max by (bucket) (SeaweedFS_s3_bucket_size_bytes)", "{{bucket}}"),),
            Unit.BYTES,
            "What the objects have; the lake and MLflow's artifacts.",
        ),
    ),
)

_WATCH: Final = Row(
    "MLflow, and the watching itself",
    (
        Panel(
            "MLflow: requests by status",
            (Query("sum by (status) (rate(mlflow_http_request_total[5m]))", "{{status}}"),),
            Unit.PER_SECOND,
            "5xx above 5 % is the alert MlflowErrors.",
        ),
        Panel(
            "MLflow: time to answer, 95 of 100",
            (
                Query(
                    "histogram_quantile(0.95, sum by (le) (rate(mlflow_http_request_duration_seconds_bucket[5m])))",
                    "all requests",
                ),
            ),
            Unit.SECONDS,
            "Of all requests but probes.",
        ),
        Panel(
            "Alerts that fire, and what was sent",
            (
                Query('count by (severity) (ALERTS{alertstate="firing"}) or vector(0)', "{{severity}}"),
                Query("sum(increase(alertmanager_notifications_total[1h]))", "sent in an hour"),
                Query("sum(increase(alertmanager_notifications_failed_total[1h]))", "not sent in an hour"),
            ),
            Unit.NUMBER,
            "Any that is not sent is the alert AlertsNotSent.",
        ),
    ),
)

PLATFORM: Final = Dashboard(
    "platform",
    "Appraiser: platform",
    "Do the services answer, and have their disks, their database and their storage room?",
    ("platform",),
    (_ANSWERS, _DISKS, _DATABASE, _STORAGE, _WATCH),
)
