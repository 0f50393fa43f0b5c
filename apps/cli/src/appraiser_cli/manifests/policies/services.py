"""What is called answers: services have pods and ports, and every address in a setting is one of theirs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import Pod, annotations, matches, name, namespace, pods, title
from appraiser_cli.manifests.rendering import Document
from appraiser_cli.manifests.world import World

BY_OPERATORS: Final = {("database", "postgres-rw"): {5432}, ("airflow", "airflow-api-server"): {8080}}
"""Services that CloudNativePG and the chart of Airflow make."""

_ADDRESS: Final = re.compile(
    r"(?:https?://|[\"' \[])(?P<service>[a-z][a-z0-9-]*)(?:\.(?P<place>[a-z]+))?(?:\.svc[a-z.]*)?:(?P<port>\d{2,5})"
)

type _Ports = dict[tuple[str, str], set[int]]


def check(world: World) -> Iterator[Failure]:
    """Follow selectors, ports, routes and addresses of both overlays."""
    seen: set[str] = set()
    for _, documents in world.overlays():
        all_pods = list(pods(documents))
        ports = _service_ports(documents) | BY_OPERATORS
        for document in documents:
            found = [
                *_of_service(document, all_pods),
                *_of_routes(document, documents, ports),
                *_of_selectors(document, documents, all_pods),
                *_of_addresses(document, ports),
            ]
            for problem, cure in found:
                text = f"{title(document)}: {problem}"
                if text not in seen:
                    seen.add(text)
                    yield Failure("services", world.file_of(document), text, cure)


def _service_ports(documents: tuple[Document, ...]) -> _Ports:
    return {
        (namespace(one), name(one)): {port["port"] for port in one["spec"]["ports"]}
        for one in documents
        if one["kind"] == "Service"
    }


def _of_service(document: Document, all_pods: list[Pod]) -> Iterator[tuple[str, str]]:
    if document["kind"] != "Service":
        return
    spec = document["spec"]
    behind = [
        pod
        for pod in all_pods
        if namespace(pod.owner) == namespace(document)
        and matches({"matchLabels": spec.get("selector", {})}, pod.labels)
    ]
    if not behind:
        yield f"no pod has the labels {spec.get('selector')}", "select labels that the pods have"
    for pod in behind:
        offered = {
            value
            for container in pod.containers(first=False)
            for port in container.get("ports", ())
            for value in (port.get("name"), port["containerPort"])
        }
        for port in spec["ports"]:
            target = port.get("targetPort", port["port"])
            if target not in offered:
                yield (
                    f"its port {port['port']} leads to {target!r}, which {title(pod.owner)} does not offer",
                    (f"name one of {', '.join(sorted(map(str, offered - {None})))}"),
                )


def _of_routes(document: Document, documents: tuple[Document, ...], ports: _Ports) -> Iterator[tuple[str, str]]:
    """Ways in from outside, and the parts of a weighted service."""
    place = namespace(document)
    for backend in _backends(document):
        kind, wanted, port = backend.get("kind", "Service"), backend["name"], backend.get("port")
        if kind != "Service":
            if not any(one["kind"] == kind and (namespace(one), name(one)) == (place, wanted) for one in documents):
                yield f"leads to the {kind} {wanted!r}, which is not in {place!r}", "name one that exists"
            continue
        named = {
            value
            for one in documents
            if one["kind"] == "Service" and (namespace(one), name(one)) == (place, wanted)
            for entry in one["spec"]["ports"]
            for value in (entry.get("name"), entry["port"])
        }
        if not named:
            yield f"leads to the Service {wanted!r}, which is not in {place!r}", "name one that exists"
        elif port not in named:
            yield f"leads to port {port!r} of {wanted!r}", f"name one of {', '.join(sorted(map(str, named)))}"
    for middleware in annotations(document).get("traefik.ingress.kubernetes.io/router.middlewares", "").split(","):
        known = {f"{namespace(one)}-{name(one)}@kubernetescrd" for one in documents if one["kind"] == "Middleware"}
        if middleware and middleware not in known:
            yield f"passes through {middleware!r}, which does not exist", f"name one of {', '.join(sorted(known))}"
    if document["kind"] == "Ingress" and document["spec"].get("ingressClassName") != "traefik":
        yield "has no ingress class of K3s", "set ingressClassName: traefik"


def _backends(document: Document) -> Iterator[Mapping[str, Any]]:
    spec = document.get("spec", {})
    if document["kind"] == "Ingress":
        for rule in spec.get("rules", ()):
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                port = service["port"]
                yield {"name": service["name"], "port": port.get("name", port.get("number"))}
    if document["kind"] == "IngressRoute":
        for route in spec.get("routes", ()):
            yield from route.get("services", ())
    if document["kind"] == "TraefikService":
        yield from spec.get("weighted", {}).get("services", ())
    if document["kind"] == "APIService":
        return


def _of_selectors(
    document: Document, documents: tuple[Document, ...], all_pods: list[Pod]
) -> Iterator[tuple[str, str]]:
    """Budgets and autoscalers, which are silent where nothing fits."""
    place, spec = namespace(document), document.get("spec", {})
    if document["kind"] == "PodDisruptionBudget":
        if not any(namespace(pod.owner) == place and matches(spec["selector"], pod.labels) for pod in all_pods):
            yield f"no pod has the labels {spec['selector'].get('matchLabels')}", "select labels that the pods have"
    if document["kind"] == "HorizontalPodAutoscaler":
        target = spec["scaleTargetRef"]
        there = {(one["kind"], namespace(one), name(one)) for one in documents}
        if (target["kind"], place, target["name"]) not in there:
            yield f"scales the {target['kind']} {target['name']!r}, which is not in {place!r}", "name one that exists"
    if document["kind"] == "StatefulSet":
        there = {(one["kind"], namespace(one), name(one)) for one in documents}
        if ("Service", place, spec.get("serviceName")) not in there:
            yield f"its service {spec.get('serviceName')!r} is not in {place!r}", "name a headless Service beside it"


def _of_addresses(document: Document, ports: _Ports) -> Iterator[tuple[str, str]]:
    """Addresses in settings: of pods, and in generated ConfigMaps such as Prometheus's targets."""
    places = {place for place, _ in ports}
    for text, here in _texts(document):
        for found in _ADDRESS.finditer(text):
            service, place, port = found["service"], found["place"] or here, int(found["port"])
            if place not in places or service == "localhost" or (found["place"] is None and "://" not in found[0]):
                if found["place"] is None or place in {"com", "org", "example", "local"}:
                    continue
            offered = ports.get((place, service))
            if offered is None:
                yield f"asks {service}.{place}:{port}, but there is no such Service", "name one that exists"
            elif port not in offered:
                yield (
                    f"asks {service}.{place} at port {port}",
                    (f"ask at {', '.join(map(str, sorted(offered)))}, which the Service offers"),
                )


def _texts(document: Document) -> Iterator[tuple[str, str]]:
    here = namespace(document)
    if document["kind"] == "ConfigMap" and name(document).startswith("prometheus-config"):
        for value in document.get("data", {}).values():
            yield "\n".join(line for line in value.splitlines() if not line.lstrip().startswith("#")), here
    for pod in pods((document,)):
        for container in pod.containers():
            yield from ((str(variable.get("value", "")), here) for variable in container.get("env", ()))
            yield from ((str(word), here) for word in container.get("args", ()))
