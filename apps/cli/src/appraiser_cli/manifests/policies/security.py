"""Nothing runs as root, writes to its own image, keeps capabilities, or holds a token that it has no use for."""

from collections.abc import Iterator, Mapping
from typing import Any

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import Pod, name, namespace, pods, title
from appraiser_cli.manifests.rendering import Document
from appraiser_cli.manifests.world import World


def check(world: World) -> Iterator[Failure]:
    """Look at the pods of every overlay."""
    seen: set[str] = set()
    for _, documents in world.overlays():
        bound = _bound(documents)
        for pod in pods(documents):
            for problem, cure in (*_of_pod(pod, bound), *_of_containers(pod)):
                text = f"{title(pod.owner)}: {problem}"
                if text not in seen:
                    seen.add(text)
                    yield Failure("security", world.file_of(pod.owner), text, cure)


def _of_pod(pod: Pod, bound: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    context = pod.spec.get("securityContext", {})
    if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
        yield "may run as root", "set runAsNonRoot: true and runAsUser in its securityContext"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "has no seccomp profile", "set seccompProfile: {type: RuntimeDefault} in its securityContext"
    for flag in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(flag):
            yield f"shares the node's {flag}", "take it out"
    for volume in pod.spec.get("volumes", ()):
        if "hostPath" in volume:
            yield f"mounts the node's path {volume['hostPath'].get('path')!r}", "use a claim, or the model registry"
    account = pod.spec.get("serviceAccountName", "")
    if not account:
        yield "uses the account 'default'", "give it a ServiceAccount of its own"
    may_ask = (namespace(pod.owner), account) in bound
    if pod.spec.get("automountServiceAccountToken", True) and not may_ask:
        yield "holds a token of the Kubernetes API without any right", "set automountServiceAccountToken: false"


def _of_containers(pod: Pod) -> Iterator[tuple[str, str]]:
    for container in pod.containers():
        missing = list(_missing(container.get("securityContext", {})))
        if missing:
            yield f"the container {container['name']!r} lacks {', '.join(missing)}", "add it to its securityContext"


def _missing(context: Mapping[str, Any]) -> Iterator[str]:
    if context.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation: false"
    if context.get("readOnlyRootFilesystem") is not True:
        yield "readOnlyRootFilesystem: true"
    if context.get("capabilities", {}).get("drop") != ["ALL"] or context.get("capabilities", {}).get("add"):
        yield "capabilities: {drop: [ALL]}"
    if context.get("privileged"):
        yield "privileged: false"


def _bound(documents: tuple[Document, ...]) -> set[tuple[str, str]]:
    """Accounts with rights."""
    return {
        (subject.get("namespace", namespace(document)), subject["name"])
        for document in documents
        if document["kind"] in {"RoleBinding", "ClusterRoleBinding"} and name(document)
        for subject in document.get("subjects", ())
        if subject["kind"] == "ServiceAccount"
    }
