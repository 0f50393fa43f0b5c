"""Every way in from outside leads to a port of a service, through what exists."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import annotations, name, namespace, title
from appraiser_cli.manifests.rendering import Document
from appraiser_cli.manifests.world import World

CLASS: Final = "traefik"
"""The ingress class of K3s."""

_THROUGH: Final = "traefik.ingress.kubernetes.io/router.middlewares"


def check(world: World) -> Iterator[Failure]:
    """Follow the routes of both overlays."""
    seen: set[str] = set()
    for _, documents in world.overlays():
        for document in documents:
            for problem, cure in (*_of_backends(document, documents), *_of_ingress(document, documents)):
                text = f"{title(document)} {problem}"
                if text not in seen:
                    seen.add(text)
                    yield Failure("routes", world.file_of(document), text, cure)


def _of_backends(document: Document, documents: tuple[Document, ...]) -> Iterator[tuple[str, str]]:
    place = namespace(document)
    for backend in _backends(document):
        kind, wanted, port = backend.get("kind", "Service"), backend["name"], backend.get("port")
        found = [one for one in documents if (one["kind"], namespace(one), name(one)) == (kind, place, wanted)]
        if not found:
            yield f"leads to the {kind} {wanted!r}, which is not in {place!r}", "name one that exists"
        elif kind == "Service":
            ports = {value for entry in found[0]["spec"]["ports"] for value in (entry.get("name"), entry["port"])}
            if port not in ports:
                yield f"leads to port {port!r} of {wanted!r}", f"name one of {', '.join(sorted(map(str, ports)))}"


def _backends(document: Document) -> Iterator[Mapping[str, Any]]:
    spec = document.get("spec", {})
    match document["kind"]:
        case "Ingress":
            for rule in spec.get("rules", ()):
                for path in rule["http"]["paths"]:
                    service = path["backend"]["service"]
                    yield {"name": service["name"], "port": service["port"].get("name", service["port"].get("number"))}
        case "IngressRoute":
            for route in spec.get("routes", ()):
                yield from route.get("services", ())
        case "TraefikService":
            yield from spec.get("weighted", {}).get("services", ())


def _of_ingress(document: Document, documents: tuple[Document, ...]) -> Iterator[tuple[str, str]]:
    if document["kind"] != "Ingress":
        return
    if document["spec"].get("ingressClassName") != CLASS:
        yield f"has the class {document['spec'].get('ingressClassName')!r}", f"set ingressClassName: {CLASS}"
    known = {f"{namespace(one)}-{name(one)}@kubernetescrd" for one in documents if one["kind"] == "Middleware"}
    for middleware in filter(None, annotations(document).get(_THROUGH, "").split(",")):
        if middleware not in known:
            yield f"passes through {middleware!r}, which does not exist", f"name one of {', '.join(sorted(known))}"
