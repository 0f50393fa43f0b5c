"""Every Secret that the manifests may name: where it lies, its keys, and who has to start anew when it changes."""

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Declared:
    """A Secret.

    Attributes:
        namespace: Where it lies.
        name: Its name.
        keys: What it holds.
        kind: Its type in Kubernetes.
        labels: What its reader looks for.
    """

    namespace: str
    name: str
    keys: tuple[str, ...]
    kind: str = "Opaque"
    labels: dict[str, str] = field(default_factory=dict)


def _role(name: str) -> Declared:
    # CloudNativePG gives the role its new password as soon as the Secret with this label changes.
    return Declared(
        "database", f"role-{name}", ("username", "password"), "kubernetes.io/basic-auth", {"cnpg.io/reload": "true"}
    )


DECLARED: Final[tuple[Declared, ...]] = (
    _role("appraiser"),
    _role("lake"),
    _role("mlflow"),
    _role("airflow"),
    Declared("storage", "s3-config", ("s3.json",)),
    Declared("storage", "s3-backup", ("access-key", "secret-key")),
    Declared("mlflow", "mlflow-database", ("url",)),
    Declared("mlflow", "mlflow-s3", ("access-key", "secret-key")),
    # The names of the keys are those of the chart of Airflow.
    Declared("airflow", "airflow-metadata", ("connection",)),
    Declared("airflow", "airflow-fernet", ("fernet-key",)),
    Declared("airflow", "airflow-api", ("api-secret-key",)),
    Declared("airflow", "airflow-jwt", ("jwt-secret",)),
    Declared("airflow", "airflow-users", ("passwords.json",)),
    Declared("airflow", "airflow-ledger", ("url",)),
    Declared("airflow", "airflow-lake", ("url", "access-key", "secret-key")),
    Declared("fastapi", "api-keys", ("keys.json",)),
    Declared("fastapi", "api-ledger", ("url",)),
    Declared("fastapi", "operator-key", ("key",)),
    Declared("streamlit", "api-key", ("key",)),
    Declared("monitoring", "api-key", ("key",)),
    Declared("monitoring", "grafana", ("admin-password",)),
    Declared("monitoring", "alertmanager", ("webhook-url",)),
)
"""What './appraiser secrets create' makes. A policy holds every reference of the manifests against it."""

READERS: Final[tuple[str, ...]] = (
    "storage/statefulset/seaweedfs",
    "mlflow/deployment/mlflow",
    "airflow/deployment/airflow-api-server",
    "airflow/deployment/airflow-scheduler",
    "airflow/deployment/airflow-dag-processor",
    "airflow/deployment/pipeline-metrics",
    "fastapi/statefulset/api",
    "streamlit/deployment/ui",
    "monitoring/statefulset/prometheus",
    "monitoring/statefulset/alertmanager",
    "monitoring/deployment/grafana",
)
"""Workloads that read a Secret when they start, as 'namespace/kind/name', in the order in which they start anew."""
