"""An update drops no request: the next one serves first, the last one is left alone before it is told to end."""

from collections.abc import Iterator
from typing import Any, Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import Pod, matches, name, namespace, pods, title
from appraiser_cli.manifests.rendering import Document
from appraiser_cli.manifests.world import World

API_END_SECONDS: Final = 15.8
"""What the API takes to end at most: .5 s of last answers, .3 s for what is on its way, 10 s for what has begun, 5 s
for the thread that follows the champion (`appraiser_api.server`, `appraiser_api.watcher`; a test compares)."""


def check(world: World) -> Iterator[Failure]:
    """Look at everything that an Ingress leads to, and at every Deployment that says how it is replaced."""
    seen: set[str] = set()
    for _, documents in world.overlays():
        for pod in pods(documents):
            if not pod.serves:
                continue
            for problem, cure in _problems(pod, documents):
                text = f"{title(pod.owner)}: {problem}"
                if text not in seen:
                    seen.add(text)
                    yield Failure("rollouts", world.file_of(pod.owner), text, cure)


def _problems(pod: Pod, documents: tuple[Document, ...]) -> Iterator[tuple[str, str]]:
    spec = pod.owner["spec"]
    strategy = spec.get("strategy", {})
    rolls = pod.owner["kind"] == "Deployment" and strategy.get("type") != "Recreate"
    if rolls and strategy.get("rollingUpdate", {}).get("maxUnavailable") != 0:
        yield "takes a pod away before the next one serves", "set strategy.rollingUpdate.maxUnavailable: 0"
    if not _is_reached(pod, documents):
        return
    for container in pod.containers(first=False):
        pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if pause < 3:
            yield (
                f"{container['name']!r} is told to end while requests are still sent to it",
                "add lifecycle.preStop.sleep of 5 seconds",
            )
        needed = pause + (API_END_SECONDS if "/appraiser-api" in container["image"] else 10)
        granted = pod.spec.get("terminationGracePeriodSeconds", 30)
        if granted < needed:
            yield (
                f"is killed after {granted} s, but may take {needed:g} s to end",
                f"set terminationGracePeriodSeconds to {needed:.0f} or more",
            )
    yield from _several(pod, documents)


def _several(pod: Pod, documents: tuple[Document, ...]) -> Iterator[tuple[str, str]]:
    """What is needed where there is more than one."""
    if "-canary" in name(pod.owner) or pod.owner["spec"].get("replicas", 1) < 2:
        return
    budgets = [one for one in documents if one["kind"] == "PodDisruptionBudget"]
    if not any(
        namespace(one) == namespace(pod.owner) and matches(one["spec"]["selector"], pod.labels) for one in budgets
    ):
        yield "may lose all its pods at once when a node is emptied", "add a PodDisruptionBudget"
    if not pod.spec.get("topologySpreadConstraints"):
        yield "may have all its pods on one node", "add topologySpreadConstraints over kubernetes.io/hostname"


def _is_reached(pod: Pod, documents: tuple[Document, ...]) -> bool:
    """Whether a way in from outside leads to these pods."""
    led_to = {
        (namespace(one), service)
        for one in documents
        if one["kind"] in {"Ingress", "TraefikService"}
        for service in _services(one["spec"])
    }
    return any(
        one["kind"] == "Service"
        and (namespace(one), name(one)) in led_to
        and namespace(one) == namespace(pod.owner)
        and matches({"matchLabels": one["spec"].get("selector", {})}, pod.labels)
        for one in documents
    )


def _services(spec: dict[str, Any]) -> Iterator[str]:
    for rule in spec.get("rules", ()):
        yield from (path["backend"]["service"]["name"] for path in rule["http"]["paths"])
    yield from (one["name"] for one in spec.get("weighted", {}).get("services", ()))
