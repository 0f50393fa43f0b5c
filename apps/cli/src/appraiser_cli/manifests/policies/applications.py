"""Every application leads somewhere, at an exact version, and every folder is reached by one."""

import re
from collections.abc import Iterator
from typing import Any, Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import annotations, name, title
from appraiser_cli.manifests.rendering import Document, Rendered
from appraiser_cli.manifests.world import World

FINALIZER: Final = "resources-finalizer.argocd.argoproj.io"
_EXACT: Final = re.compile(r"v?\d+\.\d+\.\d+([+-][\w.]+)?")
_BRANCH: Final = re.compile(r"(?!HEAD$|latest$)[\w][\w./-]*")


def check(world: World) -> Iterator[Failure]:
    """Follow the applications of both overlays."""
    seen: set[tuple[str, str]] = set()
    for rendered in _applications(world):
        for application in (one for one in rendered.documents if one["kind"] == "Application"):
            file = world.file_of(application, rendered.folder)
            for problem, cure in _problems(world, application):
                text = f"{title(application)}: {problem}"
                if (file, text) not in seen:
                    seen.add((file, text))
                    yield Failure("applications", file, text, cure)
    yield from _unreached(world)


def sources(application: Document) -> list[dict[str, Any]]:
    """Its source, or its sources."""
    spec = application["spec"]
    return [spec["source"]] if "source" in spec else list(spec.get("sources", ()))


def _applications(world: World) -> list[Rendered]:
    return [one for one in world.rendered if any(doc["kind"] == "Application" for doc in one.documents)]


def _problems(world: World, application: Document) -> Iterator[tuple[str, str]]:
    if application["spec"].get("project", "default") == "default":
        yield "belongs to the project 'default'", "name one of gitops/applications/base/projects.yaml"
    if FINALIZER not in application["metadata"].get("finalizers", ()):
        yield "would leave its objects behind when it is deleted", f"add the finalizer {FINALIZER}"
    found = sources(application)
    if not found:
        yield "has no source", "add spec.source with repoURL, targetRevision and path"
    for source in found:
        yield from _of_source(world, source, {one["ref"] for one in found if "ref" in one})


def _of_source(world: World, source: dict[str, Any], references: set[str]) -> Iterator[tuple[str, str]]:
    revision = str(source.get("targetRevision", ""))
    if "chart" in source:
        if not _EXACT.fullmatch(revision):
            yield f"takes the chart {source['chart']} at {revision!r}", "name one exact version, such as 1.22.0"
    elif not _BRANCH.fullmatch(revision):
        yield f"follows the revision {revision!r}", "name a branch or a tag in gitops/applications/where/source.yaml"
    if "path" in source and not (world.root / source["path"] / "kustomization.yaml").exists():
        yield f"leads to {source['path']}, where there is no kustomization.yaml", "name a folder that exists"
    for file in source.get("helm", {}).get("valueFiles", ()):
        reference, _, path = file.removeprefix("$").partition("/")
        if file.startswith("$") and reference not in references:
            yield f"reads {file}, but no source is called {reference!r}", f"add 'ref: {reference}' to the repository's"
        elif not (world.root / path).exists():
            yield f"reads {path}, which does not exist", "name a file that exists"


def _unreached(world: World) -> Iterator[Failure]:
    """Folders that no application names: what stands there never gets into a cluster."""
    reached = {
        source.get("path", "")
        for rendered in _applications(world)
        for application in rendered.documents
        if application["kind"] == "Application"
        for source in sources(application)
    }
    for rendered in world.rendered:
        if rendered.optional or rendered.folder.startswith("gitops/bootstrap/") or rendered.folder in reached:
            continue
        yield Failure(
            "applications",
            f"{rendered.folder}/kustomization.yaml",
            "no application leads here",
            "add one to gitops/applications/base, or delete the folder",
        )


def wave(application: Document) -> int:
    """Its place in the order of syncing."""
    return int(annotations(application).get("argocd.argoproj.io/sync-wave", "0"))


def title_of(application: Document) -> str:
    """Its name."""
    return name(application)
