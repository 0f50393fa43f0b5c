"""Every address inside the cluster that a setting names is one of a service, at a port that it has."""

import re
from collections.abc import Iterator
from typing import Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import name, namespace, pods, title
from appraiser_cli.manifests.rendering import Document
from appraiser_cli.manifests.world import World

BY_OPERATORS: Final = {("database", "postgres-rw"): {5432}, ("airflow", "airflow-api-server"): {8080}}
"""Services that CloudNativePG and the chart of Airflow make."""

_ADDRESS: Final = re.compile(r"(?:https?://|\")([a-z][a-z0-9-]*)(?:\.([a-z]+))?(?:\.svc[a-z.]*)?:(\d{2,5})")
_OUTSIDE: Final = frozenset({"com", "org", "io", "net", "invalid", "local"})

type _Ports = dict[tuple[str, str], set[int]]


def check(world: World) -> Iterator[Failure]:
    """Follow the addresses in the settings of both overlays: of pods, and of Prometheus."""
    seen: set[str] = set()
    for _, documents in world.overlays():
        ports = _ports(documents) | BY_OPERATORS
        for document in documents:
            for problem, cure in _problems(document, ports):
                text = f"{title(document)}: {problem}"
                if text not in seen:
                    seen.add(text)
                    yield Failure("addresses", world.file_of(document, _near(document)), text, cure)


def _ports(documents: tuple[Document, ...]) -> _Ports:
    return {
        (namespace(one), name(one)): {port["port"] for port in one["spec"]["ports"]}
        for one in documents
        if one["kind"] == "Service"
    }


def _problems(document: Document, ports: _Ports) -> Iterator[tuple[str, str]]:
    for text in _texts(document):
        for service, place, port in _ADDRESS.findall(text):
            if service == "localhost" or place in _OUTSIDE:
                continue
            where = (place or namespace(document), service)
            if where not in ports:
                yield f"asks {service}.{where[0]}:{port}, where there is no Service", "name one that exists"
            elif int(port) not in ports[where]:
                offered = ", ".join(map(str, sorted(ports[where])))
                yield f"asks {service}.{where[0]} at port {port}", f"ask at {offered}, which the Service offers"


def _texts(document: Document) -> Iterator[str]:
    for pod in pods((document,)):
        for container in pod.containers():
            yield from (str(variable.get("value", "")) for variable in container.get("env", ()))
            yield from map(str, container.get("args", ()))
    if _is_of_prometheus(document):
        for value in document.get("data", {}).values():
            yield "\n".join(line for line in value.splitlines() if not line.lstrip().startswith("#"))


def _is_of_prometheus(document: Document) -> bool:
    return document["kind"] == "ConfigMap" and name(document).startswith("prometheus-config")


def _near(document: Document) -> str:
    """Where a generated object comes from."""
    return "gitops/platform/prometheus/base/prometheus.yml" if _is_of_prometheus(document) else ""
