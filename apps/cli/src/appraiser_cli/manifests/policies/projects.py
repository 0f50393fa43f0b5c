"""An application brings what its project allows, to where it allows, and a project allows no more than is brought."""

from collections.abc import Iterator
from typing import Any, Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import group, name, namespace, title
from appraiser_cli.manifests.policies.applications import sources
from appraiser_cli.manifests.policies.namespaces import CLUSTER_WIDE
from appraiser_cli.manifests.rendering import OVERLAYS, Document
from appraiser_cli.manifests.world import World

_FILE: Final = "gitops/applications/base/projects.yaml"


def check(world: World) -> Iterator[Failure]:
    """Hold each application against its project."""
    seen: set[str] = set()
    for overlay in OVERLAYS:
        ours = [one for one in world.rendered if one.overlay == overlay]
        documents = [document for one in ours for document in one.documents]
        projects = {name(one): one["spec"] for one in documents if one["kind"] == "AppProject"}
        brought = {one.folder: one.documents for one in ours}
        for one in ours:
            # What may be taken in must be allowed as well.
            if one.optional:
                folder = one.folder.split("+")[0]
                brought[folder] = (*brought.get(folder, ()), *one.documents)
        for application in (one for one in documents if one["kind"] == "Application"):
            for problem, cure in _problems(application, projects, brought):
                text = f"{title(application)} {problem}"
                if text not in seen:
                    seen.add(text)
                    yield Failure("projects", world.file_of(application), text, cure)


def _problems(
    application: Document, projects: dict[str, dict[str, Any]], brought: dict[str, tuple[Document, ...]]
) -> Iterator[tuple[str, str]]:
    wanted = application["spec"].get("project", "default")
    project = projects.get(wanted)
    if project is None:
        if wanted != "default":
            yield f"belongs to the project {wanted!r}, which does not exist", f"add it to {_FILE}"
        return
    places = {one["namespace"] for one in project.get("destinations", ())}
    if application["spec"]["destination"].get("namespace") not in places:
        yield (
            f"goes to {application['spec']['destination'].get('namespace')!r}, not allowed by {wanted!r}",
            (f"allow it in {_FILE}, or choose another project"),
        )
    for source in sources(application):
        if source["repoURL"] not in project.get("sourceRepos", ()):
            yield f"comes from {source['repoURL']}, not allowed by {wanted!r}", f"allow it in {_FILE}"
        for document in brought.get(source.get("path", ""), ()):
            yield from _of_object(document, wanted, project, places)


def _of_object(document: Document, wanted: str, project: dict[str, Any], places: set[str]) -> Iterator[tuple[str, str]]:
    wide = document["kind"] in CLUSTER_WIDE
    allowed = project.get("clusterResourceWhitelist" if wide else "namespaceResourceWhitelist") or ()
    if not any(one["group"] == group(document) and one["kind"] == document["kind"] for one in allowed):
        yield f"brings the {title(document)}, a kind not allowed by {wanted!r}", f"allow it in {_FILE} if it must be"
    if not wide and namespace(document) not in places:
        yield (
            f"brings the {title(document)} to {namespace(document)!r}, not allowed by {wanted!r}",
            (f"allow it in {_FILE} if it must be"),
        )
