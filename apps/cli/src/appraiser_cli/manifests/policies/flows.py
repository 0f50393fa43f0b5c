"""What one side may send the other takes: each way out in a NetworkPolicy has its way in."""

from collections.abc import Iterator, Mapping
from typing import Any

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import matches, name, namespace, title
from appraiser_cli.manifests.rendering import Document
from appraiser_cli.manifests.world import World

type _Labels = Mapping[str, str]


def check(world: World) -> Iterator[Failure]:
    """Hold the ways out of both overlays against the ways in."""
    seen: set[str] = set()
    for _, documents in world.overlays():
        policies = [one for one in documents if one["kind"] == "NetworkPolicy"]
        names = {name(one) for one in documents if one["kind"] == "Namespace"}
        for policy in policies:
            for problem, cure in _unanswered(policy, policies, names):
                text = f"{title(policy)} of {namespace(policy)!r} {problem}"
                if text not in seen:
                    seen.add(text)
                    yield Failure("flows", world.file_of(policy), text, cure)


def _unanswered(policy: Document, policies: list[Document], names: set[str]) -> Iterator[tuple[str, str]]:
    sender = policy["spec"]["podSelector"].get("matchLabels", {})
    for rule in policy["spec"].get("egress", ()):
        for peer in rule.get("to", ()):
            place = _place(peer, namespace(policy))
            receiver = peer.get("podSelector", {}).get("matchLabels", {})
            if place is None or (place not in names and place == "kube-system"):
                continue
            if place not in names:
                yield f"lets out to the namespace {place!r}, which nothing makes", "name one that exists"
                continue
            for port in rule.get("ports", ()):
                if not _taken(policies, place, receiver, (namespace(policy), sender), port):
                    yield (
                        f"lets out to {dict(receiver)} of {place!r} at port {port['port']}, where nobody lets it in",
                        f"add the same way to 'ingress' of the NetworkPolicy for {dict(receiver)} in {place!r}",
                    )


def _place(peer: Mapping[str, Any], here: str) -> str | None:
    """Namespace of a peer; None for addresses outside."""
    if "ipBlock" in peer:
        return None
    selector = peer.get("namespaceSelector")
    return here if selector is None else selector.get("matchLabels", {}).get("kubernetes.io/metadata.name")


def _taken(
    policies: list[Document], place: str, receiver: _Labels, sender: tuple[str, _Labels], port: Mapping[str, Any]
) -> bool:
    for policy in policies:
        selects = policy["spec"]["podSelector"]
        if namespace(policy) != place or not matches(selects, receiver):
            continue
        for rule in policy["spec"].get("ingress", ()):
            if any(_same(port, one) for one in rule.get("ports", ())) and (
                "from" not in rule or any(_lets_in(peer, place, sender) for peer in rule["from"])
            ):
                return True
    return False


def _lets_in(peer: Mapping[str, Any], place: str, sender: tuple[str, _Labels]) -> bool:
    return _place(peer, place) == sender[0] and matches(peer.get("podSelector", {}), sender[1])


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (one.get("protocol", "TCP"), one["port"]) == (other.get("protocol", "TCP"), other["port"])
