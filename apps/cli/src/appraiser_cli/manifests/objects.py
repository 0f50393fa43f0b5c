"""Looking into Kubernetes objects: pods and their containers, names, labels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from appraiser_cli.manifests.rendering import Document

WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")


@dataclass(frozen=True, slots=True)
class Pod:
    """The pods of a workload.

    Attributes:
        owner: The workload.
        spec: Of the pods.
        labels: Of the pods.
    """

    owner: Document
    spec: Mapping[str, Any]
    labels: Mapping[str, str]

    @property
    def serves(self) -> bool:
        """Whether it runs until it is stopped, unlike a job."""
        return self.owner["kind"] not in {"Job", "CronJob"}

    def containers(self, *, first: bool = True) -> Iterator[Mapping[str, Any]]:
        """Its containers; with `first`, those that run before the others too."""
        if first:
            yield from self.spec.get("initContainers", ())
        yield from self.spec.get("containers", ())


def pod_of(document: Document) -> Pod | None:
    """The pods that an object makes; None where it makes none."""
    if document["kind"] not in WORKLOADS:
        return None
    spec = document["spec"]
    if document["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    template = spec["template"]
    return Pod(document, template["spec"], template.get("metadata", {}).get("labels", {}))


def pods(documents: tuple[Document, ...]) -> Iterator[Pod]:
    """The pods of all workloads among objects."""
    for document in documents:
        pod = pod_of(document)
        if pod is not None:
            yield pod


def title(document: Document) -> str:
    """Kind and name, such as 'StatefulSet api'."""
    return f"{document.get('kind', 'object')} {name(document)}"


def name(document: Document) -> str:
    """Its name; empty where it has none."""
    return str(document.get("metadata", {}).get("name", ""))


def namespace(document: Document) -> str:
    """Its namespace; empty where it has none."""
    return str(document.get("metadata", {}).get("namespace", ""))


def annotations(document: Document) -> Mapping[str, str]:
    """Its annotations."""
    return document.get("metadata", {}).get("annotations") or {}


def group(document: Document) -> str:
    """Its API group; empty for the core."""
    version = str(document.get("apiVersion", ""))
    return version.split("/", maxsplit=1)[0] if "/" in version else ""


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether labels fit a selector of equal labels; an empty one fits all."""
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
