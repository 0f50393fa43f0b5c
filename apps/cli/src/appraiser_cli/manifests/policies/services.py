"""What is called answers: services have pods that offer their ports, budgets and autoscalers look after something."""

from collections.abc import Iterator

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import Pod, matches, name, namespace, pods, title
from appraiser_cli.manifests.rendering import Document
from appraiser_cli.manifests.world import World

type _Names = frozenset[tuple[str, str, str]]


def check(world: World) -> Iterator[Failure]:
    """Follow the selectors of both overlays."""
    seen: set[str] = set()
    for _, documents in world.overlays():
        everywhere = list(pods(documents))
        names = frozenset((one["kind"], namespace(one), name(one)) for one in documents)
        for document in documents:
            here = [pod for pod in everywhere if namespace(pod.owner) == namespace(document)]
            for problem, cure in (*_of_service(document, here), *_of_others(document, here, names)):
                text = f"{title(document)}: {problem}"
                if text not in seen:
                    seen.add(text)
                    yield Failure("services", world.file_of(document), text, cure)


def _of_service(document: Document, here: list[Pod]) -> Iterator[tuple[str, str]]:
    if document["kind"] != "Service":
        return
    selector = document["spec"].get("selector", {})
    behind = [pod for pod in here if matches({"matchLabels": selector}, pod.labels)]
    if not behind:
        yield f"no pod has the labels {selector}", "select labels that the pods have"
    for pod in behind:
        offered = _offered(pod)
        for port in document["spec"]["ports"]:
            target = port.get("targetPort", port["port"])
            if target not in offered:
                yield (
                    f"its port {port['port']} leads to {target!r}, which {title(pod.owner)} does not offer",
                    f"name one of {', '.join(sorted(map(str, offered)))}",
                )


def _offered(pod: Pod) -> set[str | int]:
    """Ports of a pod, by number and by name."""
    ports = [port for container in pod.containers(first=False) for port in container.get("ports", ())]
    return {port["containerPort"] for port in ports} | {port["name"] for port in ports if "name" in port}


def _of_others(document: Document, here: list[Pod], names: _Names) -> Iterator[tuple[str, str]]:
    place, spec = namespace(document), document.get("spec", {})
    match document["kind"]:
        case "PodDisruptionBudget" if not any(matches(spec["selector"], pod.labels) for pod in here):
            yield f"no pod has the labels {spec['selector'].get('matchLabels')}", "select labels that the pods have"
        case "HorizontalPodAutoscaler":
            target = spec["scaleTargetRef"]
            if (target["kind"], place, target["name"]) not in names:
                yield (
                    f"scales the {target['kind']} {target['name']!r}, which is not in {place!r}",
                    "name one that exists",
                )
        case "StatefulSet" if ("Service", place, spec.get("serviceName")) not in names:
            yield f"its service {spec.get('serviceName')!r} is not in {place!r}", "name a headless Service beside it"
