"""Where to go once the system runs."""

from appraiser_cli.running.ports import LOOPBACK
from appraiser_cli.services.credentials import Credentials

_LABELS = (
    ("web page", "ui", ""),
    ("API and its documentation", "api", "/docs"),
    ("models in MLflow", "mlflow", ""),
    ("pipeline in Airflow", "airflow", ""),
    ("listing feed", "feed", ""),
    ("metrics and alerts", "prometheus", "/alerts"),
)


def addresses(ports: dict[str, int], credentials: Credentials | None) -> list[str]:
    """A line for each service that listens, with the login where it asks for one."""
    lines = []
    for label, name, path in _LABELS:
        if name not in ports:
            continue
        login = (
            f"   (user {credentials.user}, password {credentials.password})"
            if name == "airflow" and credentials
            else ""
        )
        lines.append(f"{label:<27}http://{LOOPBACK}:{ports[name]}{path}{login}")
    return lines


def example(port: int) -> str:
    """A command that asks the API what a house is worth."""
    return (
        f"curl -s http://{LOOPBACK}:{port}/predict -H 'content-type: application/json' \\\n"
        '  -d \'{"state": "Connecticut", "city": "East Windsor", "zip_code": "06016", "bed": 4, "house_size": 1617}\''
    )
