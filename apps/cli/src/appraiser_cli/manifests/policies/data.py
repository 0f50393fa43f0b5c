"""Data outlives the application that made it, and is copied somewhere."""

from collections.abc import Iterator
from typing import Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import annotations, namespace, title
from appraiser_cli.manifests.world import World

_KEPT: Final = ("PersistentVolumeClaim", "Cluster", "Namespace")
_BACKED_UP: Final = ("database", "storage", "airflow")
"""Namespaces whose data nobody could make again."""


def check(world: World) -> Iterator[Failure]:
    """Look for what Argo CD would delete with an application, and for the jobs that copy."""
    seen: set[str] = set()
    for overlay, documents in world.overlays():
        for document in documents:
            options = annotations(document).get("argocd.argoproj.io/sync-options", "")
            if document["kind"] in _KEPT and not {"Prune=false", "Delete=false"} <= set(options.split(",")):
                text = f"{title(document)} would be deleted with its application, and its data with it"
                if text not in seen:
                    seen.add(text)
                    yield Failure(
                        "data",
                        world.file_of(document),
                        text,
                        "annotate it argocd.argoproj.io/sync-options: Prune=false,Delete=false",
                    )
        copied = {
            namespace(one) for one in documents if one["kind"] == "CronJob" and "backup" in one["metadata"]["name"]
        }
        for place in _BACKED_UP:
            if place not in copied:
                yield Failure(
                    "data",
                    f"gitops (overlay {overlay})",
                    f"nothing copies the data of {place!r}",
                    "add a CronJob with 'backup' in its name",
                )
