"""Every image is one that can be named again: a full address, an exact tag and a digest."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import pod_of, title
from appraiser_cli.manifests.rendering import OVERLAYS, Document
from appraiser_cli.manifests.world import World

UNKNOWN: Final = f"sha256:{'0' * 64}"
"""Digest of an image that nobody has looked up in its registry yet."""

_REFERENCE: Final = re.compile(
    r"(?P<address>[a-z0-9.-]+\.[a-z]+(:\d+)?/[a-z0-9._/-]+)(:(?P<tag>[\w.-]+))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_MOVING: Final = ("latest", "main", "master", "edge", "nightly", "stable", "dev")


def check(world: World) -> Iterator[Failure]:
    """Look at every image of every workload, and hold the chart's image against the others."""
    seen: set[tuple[str, str]] = set()
    for rendered, document in world.each():
        for image in _images(document):
            for problem, cure in _problems(image, released=world.released):
                place = f"gitops/images/{rendered.overlay}/kustomization.yaml"
                file = world.file_of(document, rendered.folder)
                if (file, problem) not in seen:
                    seen.add((file, problem))
                    yield Failure("images", file, f"{title(document)}: {problem}", cure.format(place=place))
    yield from _chart(world)


def unknown_digests(world: World) -> dict[str, list[str]]:
    """Images by overlay whose digest nobody has looked up yet."""
    found: dict[str, list[str]] = {}
    for overlay in OVERLAYS:
        images = _pinned(world.root, overlay)
        found[overlay] = sorted(one["newName"] for one in images.values() if one.get("digest") == UNKNOWN)
    return found


def _images(document: Document) -> Iterator[str]:
    pod = pod_of(document)
    if pod is not None:
        yield from (str(container.get("image", "")) for container in pod.containers())
    if document["kind"] == "Cluster":
        yield str(document["spec"].get("imageName", ""))


def _problems(image: str, *, released: bool) -> Iterator[tuple[str, str]]:
    found = _REFERENCE.fullmatch(image)
    if found is None:
        yield (
            f"the image {image!r} has no address of a registry",
            "list it in {place}, with newName, newTag and digest",
        )
        return
    tag, digest = found["tag"], found["digest"]
    if tag in _MOVING or (tag is None and digest is None):
        yield f"the image {image!r} moves", "give newTag an exact version in {place}"
    if digest is None:
        yield f"the image {image!r} has no digest", "add its digest in {place}"
    elif digest == UNKNOWN and released:
        yield (
            f"nobody has looked up the digest of {found['address']}",
            "write it to {place}: ./appraiser images pin, or look-up for those of others",
        )


def _chart(world: World) -> Iterator[Failure]:
    """The chart of Airflow gets its image by values; it must be the one that everything else of Airflow runs."""
    for overlay in OVERLAYS:
        file = world.root / f"gitops/services/airflow/overlays/{overlay}/values.yaml"
        if not file.exists():
            continue
        told = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("images", {}).get("airflow", {})
        pinned = _pinned(world.root, overlay).get("appraiser-airflow", {})
        if (told.get("repository"), told.get("digest")) != (pinned.get("newName"), pinned.get("digest")):
            yield Failure(
                "images",
                world.relative(file),
                f"images.airflow is {told.get('repository')}@{told.get('digest')}, unlike gitops/images/{overlay}",
                f"write {pinned.get('newName')} and {pinned.get('digest')}",
            )


def _pinned(root: Path, overlay: str) -> dict[str, dict[str, Any]]:
    file = root / f"gitops/images/{overlay}/kustomization.yaml"
    listed = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("images", [])
    return {one["name"]: one for one in listed}
