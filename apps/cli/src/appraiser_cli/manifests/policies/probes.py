"""Whoever serves says when it can, and when it needs a new start."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import pod_of, title
from appraiser_cli.manifests.world import World

API_READY: Final = "/health/ready"
API_LIVE: Final = "/health/live"
"""The API is ready once it has a model, and alive without one."""

_PROBES: Final = ("startupProbe", "readinessProbe", "livenessProbe")


def check(world: World) -> Iterator[Failure]:
    """Look for readiness and liveness of every container that serves, at ports that it has."""
    for rendered, document in world.each():
        pod = pod_of(document)
        if pod is None or not pod.serves:
            continue
        file = world.file_of(document, rendered.folder)
        for container in pod.containers(first=False):
            for problem, cure in _problems(container):
                yield Failure("probes", file, f"{title(document)}: {container['name']!r} {problem}", cure)


def _problems(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for probe in ("readinessProbe", "livenessProbe"):
        if probe not in container:
            yield f"has no {probe}", f"add a {probe} that asks the program itself"
    ports = {value for port in container.get("ports", ()) for value in (port.get("name"), port["containerPort"])}
    for probe in _PROBES:
        asked = container.get(probe, {}).get("httpGet")
        if asked is not None and asked["port"] not in ports:
            yield f"is asked by {probe} at port {asked['port']!r}, which it does not have", "name one of its ports"
    if "/appraiser-api" in str(container.get("image")):
        yield from _of_the_api(container)


def _of_the_api(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for probe, path in (("readinessProbe", API_READY), ("livenessProbe", API_LIVE)):
        found = container.get(probe, {}).get("httpGet", {}).get("path")
        if found != path:
            yield f"is asked by {probe} at {found!r}", f"ask {path}: readiness knows the model, liveness does not"
