"""Every object lies in a namespace that exists, and every namespace begins closed."""

from collections.abc import Iterator
from typing import Any, Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import name, namespace, title
from appraiser_cli.manifests.rendering import Document
from appraiser_cli.manifests.world import World

GIVEN: Final = ("argocd", "kube-system")
"""Namespaces that gitops/bootstrap and Kubernetes make."""

CLUSTER_WIDE: Final = frozenset(
    {"Namespace", "ClusterRole", "ClusterRoleBinding", "APIService", "CustomResourceDefinition", "PriorityClass"}
)


def check(world: World) -> Iterator[Failure]:
    """Look at the namespaces of both overlays."""
    for overlay, documents in world.overlays():
        declared = {name(one): one for one in documents if one["kind"] == "Namespace"}
        for document in documents:
            place = namespace(document)
            if document["kind"] not in CLUSTER_WIDE and place not in (*declared, *GIVEN):
                yield Failure(
                    "namespaces",
                    world.file_of(document),
                    f"{title(document)} is to lie in the namespace {place!r}, which nothing makes",
                    f"name one of {', '.join(sorted(declared))}, or add it to gitops/platform/namespaces",
                )
        for place, declaration in declared.items():
            yield from _closed(world, overlay, place, documents, declaration)


def _closed(
    world: World, overlay: str, place: str, documents: tuple[Document, ...], declaration: Document
) -> Iterator[Failure]:
    policies = [one for one in documents if one["kind"] == "NetworkPolicy" and namespace(one) == place]
    if not any(_denies_all(one["spec"]) for one in policies):
        yield Failure(
            "namespaces",
            world.file_of(declaration),
            f"the namespace {place!r} has no NetworkPolicy that begins with nothing allowed (overlay {overlay})",
            "take the component gitops/components/default-deny into the folder that fills it",
        )
    labels = declaration["metadata"].get("labels", {})
    if labels.get("pod-security.kubernetes.io/enforce") != "restricted":
        yield Failure(
            "namespaces",
            world.file_of(declaration),
            f"the namespace {place!r} lets pods in that Kubernetes calls insecure",
            "label it pod-security.kubernetes.io/enforce: restricted",
        )


def _denies_all(spec: dict[str, Any]) -> bool:
    both = set(spec.get("policyTypes", ())) == {"Ingress", "Egress"}
    return both and spec.get("podSelector") == {} and not spec.get("ingress") and not spec.get("egress")
