"""Prometheus and Alertmanager themselves over the committed files, with times shortened, and a receiver of alerts."""

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml
from monitored import wait_until_answers

from appraiser_cli.home import ROOT

MONITORING: Final = ROOT / "gitops/platform/monitoring"


def program(name: str) -> str:
    """Path of a program; the test is skipped where it is not installed, or fails where it has to be."""
    found = shutil.which(name)
    if found is None:
        absent = f"{name} is not installed; Debian's packages prometheus and prometheus-alertmanager bring it"
        (pytest.fail if os.environ.get("APPRAISER_REQUIRE_PROMETHEUS") else pytest.skip)(absent)
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Receiver:
    """Whoever is on call: keeps what it is told, by the receiver's name."""

    port: int = 0
    told: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def alerts(self, name: str) -> dict[str, dict[str, Any]]:
        """What fires and was told to one receiver, by the alert's name."""
        told = [alert for message in self.told.get(name, []) for alert in message["alerts"]]
        return {alert["labels"]["alertname"]: alert for alert in told if alert["status"] == "firing"}


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port; the last part of the path is its name."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["content-length"])))
            receiver.told.setdefault(self.path.rsplit("/", 1)[-1], []).append(message)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Watch:
    """A Prometheus that asks services, and whoever is told of its alerts.

    Attributes:
        url: Address of Prometheus.
        receiver: Who is told.
    """

    url: str
    receiver: Receiver

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The series that a query gives now."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": query}, timeout=30, trust_env=False)
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found


@contextmanager
def watching(folder: Path, addresses: Mapping[str, str]) -> Iterator[Watch]:
    """Start both over the committed configuration.

    Args:
        folder: For their configuration and data.
        addresses: Host and port of the services that run, by job; the other jobs are left out.
    """
    prometheus, alertmanager = program("prometheus"), program("prometheus-alertmanager")
    with ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        told, port = free_port(), free_port()
        _write_alertmanager(folder, receiver.port)
        _write_prometheus(folder, {**addresses, "alertmanager": f"127.0.0.1:{told}", "prometheus": f"127.0.0.1:{port}"})
        _start(
            stack,
            f"http://127.0.0.1:{told}/-/ready",
            alertmanager,
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{told}",
            "--cluster.listen-address=",
            "--log.level=error",
        )
        _start(
            stack,
            f"http://127.0.0.1:{port}/-/ready",
            prometheus,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{port}",
            # What fires before Alertmanager was found is told once more after this time.
            "--rules.alert.resend-delay=1s",
            "--log.level=error",
        )
        yield Watch(f"http://127.0.0.1:{port}", receiver)


def _start(stack: ExitStack, ready: str, *command: str) -> None:
    process = subprocess.Popen(command)
    stack.callback(process.wait, 20)
    stack.callback(process.terminate)
    wait_until_answers(ready, process)


def _write_prometheus(folder: Path, addresses: Mapping[str, str]) -> None:
    """Prometheus asks each second, at other addresses; alerts fire at once, for nobody waits here for ten minutes."""
    settings = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    settings["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    settings["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [addresses["alertmanager"]]
    jobs = [job for job in settings["scrape_configs"] if job["job_name"] in addresses]
    assert set(addresses) == {job["job_name"] for job in jobs}, "a service runs that prometheus.yml does not name"
    (folder / "key").write_text("no key is needed on loopback")
    for job in jobs:
        job.pop("scrape_interval", None)
        job["static_configs"][0]["targets"] = [addresses[job["job_name"]]]
        if "authorization" in job:
            job["authorization"]["credentials_file"] = str(folder / "key")
    settings["scrape_configs"] = jobs
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    (folder / "rules").mkdir(exist_ok=True)
    for path in (MONITORING / "rules").glob("*.rules.yaml"):
        rules = yaml.safe_load(path.read_text())
        for group in rules["groups"]:
            for rule in group["rules"]:
                rule.pop("for", None)
        (folder / "rules" / path.name).write_text(yaml.safe_dump(rules))


def _write_alertmanager(folder: Path, port: int) -> None:
    """Each receiver is told at an address of its own: Debian's Alertmanager does not know url_file yet."""
    settings = yaml.safe_load((MONITORING / "alertmanager.yml").read_text())
    route = settings["route"]
    route.update(group_wait="3s", group_interval="1s")
    for child in route["routes"]:
        child.update(group_wait="0s" if child["receiver"] == "page" else "3s")
    for receiver in settings["receivers"]:
        for webhook in receiver["webhook_configs"]:
            del webhook["url_file"]
            webhook["url"] = f"http://127.0.0.1:{port}/{receiver['name']}"
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(settings))
