"""Prometheus over the committed rules, where it is installed, and what the pipeline tells it."""

import shutil
import sys
from collections.abc import Mapping
from typing import Final

import yaml

from appraiser_cli.home import ROOT, Home
from appraiser_cli.running.ports import LOOPBACK
from appraiser_cli.running.service import Service

_COMMITTED: Final = ROOT / "gitops" / "platform" / "monitoring"
_PORTS: Final = {
    "api": "api",
    "feed": "feed",
    "pipeline": "pipeline-metrics",
    "mlflow": "mlflow",
    "prometheus": "prometheus",
}
"""The service whose port a job asks; jobs of other parts than these belong to containers."""


def program() -> str | None:
    """Path of Prometheus; None where it is not installed."""
    return shutil.which("prometheus")


def prometheus(home: Home, path: str, ports: Mapping[str, int]) -> Service:
    """The server, over the scrape configuration and the rules that the repository has."""
    home.prometheus.mkdir(parents=True, exist_ok=True)
    file = home.prometheus / "prometheus.yml"
    file.write_text(yaml.safe_dump(configuration(ports), sort_keys=False), encoding="utf-8")
    port = ports["prometheus"]
    return Service(
        name="prometheus",
        command=(
            path,
            f"--config.file={file}",
            f"--storage.tsdb.path={home.prometheus / 'data'}",
            "--storage.tsdb.retention.time=30d",
            f"--web.listen-address={LOOPBACK}:{port}",
            "--log.level=warn",
        ),
        port=port,
        health="/-/ready",
    )


def pipeline_metrics(port: int, environment: Mapping[str, str]) -> Service:
    """What the ledger tells of batches, decisions and the champion, for Prometheus."""
    command = (sys.executable, "-m", "appraiser_pipeline", "metrics", "--host", LOOPBACK, "--port", str(port))
    return Service("pipeline-metrics", command, environment, port=port, health="/metrics")


def configuration(ports: Mapping[str, int]) -> dict[str, object]:
    """The committed configuration, with the addresses of this machine and the jobs that run on it."""
    settings = yaml.safe_load((_COMMITTED / "prometheus.yml").read_text(encoding="utf-8"))
    # Nobody is told: the alerts stand on Prometheus' own page.
    settings.pop("alerting")
    settings["rule_files"] = [str(_COMMITTED / "rules" / "*.rules.yaml")]
    jobs = []
    for job in settings["scrape_configs"]:
        service = _PORTS.get(job["job_name"])
        if service is None or service not in ports:
            continue
        # On loopback the API asks for no key.
        job.pop("authorization", None)
        job["static_configs"] = [{"targets": [f"{LOOPBACK}:{ports[service]}"]}]
        jobs.append(job)
    settings["scrape_configs"] = jobs
    found: dict[str, object] = settings
    return found
