"""What a workload names exists: accounts, settings, claims, and Secrets with the keys that it reads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from appraiser_cli.cluster_secrets.declared import DECLARED
from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import Pod, name, namespace, pods, title
from appraiser_cli.manifests.rendering import Document
from appraiser_cli.manifests.world import World

_BY_KUBERNETES: Final = ("system:auth-delegator", "extension-apiserver-authentication-reader")
_MADE_ELSEWHERE: Final = {("kube-system", "horizontal-pod-autoscaler")}


@dataclass(frozen=True, slots=True)
class Names:
    """What there is, by kind: (namespace, name)."""

    of: Mapping[str, frozenset[tuple[str, str]]]
    secrets: Mapping[tuple[str, str], frozenset[str]]

    @classmethod
    def among(cls, documents: tuple[Document, ...]) -> "Names":
        """Collect them; of Secrets those that './appraiser secrets create' makes."""
        found: dict[str, set[tuple[str, str]]] = {}
        for document in documents:
            found.setdefault(document["kind"], set()).add((namespace(document), name(document)))
        secrets = {(one.namespace, one.name): frozenset(one.keys) for one in DECLARED}
        return cls({kind: frozenset(names) for kind, names in found.items()}, secrets)

    def has(self, kind: str, place: str, wanted: str) -> bool:
        """Whether there is an object of a kind."""
        return (place, wanted) in self.of.get(kind, frozenset())


def check(world: World) -> Iterator[Failure]:
    """Follow every name in the pods, the database and the rights of both overlays."""
    seen: set[str] = set()
    for _, documents in world.overlays():
        names = Names.among(documents)
        problems = [
            *((pod.owner, found) for pod in pods(documents) for found in _of_pod(pod, names)),
            *((one, found) for one in documents if one["kind"] == "Cluster" for found in _of_cluster(one, names)),
            *((one, found) for one in documents if "Binding" in one["kind"] for found in _of_binding(one, names)),
        ]
        for document, (problem, cure) in problems:
            text = f"{title(document)}: {problem}"
            if text not in seen:
                seen.add(text)
                yield Failure("references", world.file_of(document), text, cure)


def _of_pod(pod: Pod, names: Names) -> Iterator[tuple[str, str]]:
    place = namespace(pod.owner)
    account = pod.spec.get("serviceAccountName", "")
    if account and not names.has("ServiceAccount", place, account):
        yield f"its account {account!r} is not in the namespace {place!r}", "add the ServiceAccount beside it"
    for volume in pod.spec.get("volumes", ()):
        yield from _of_volume(volume, place, names)
    claims = {one["metadata"]["name"] for one in pod.owner["spec"].get("volumeClaimTemplates", ())}
    volumes = {volume["name"] for volume in pod.spec.get("volumes", ())} | claims
    for container in pod.containers():
        for mount in container.get("volumeMounts", ()):
            if mount["name"] not in volumes:
                yield f"mounts the volume {mount['name']!r}, which it does not have", "add it under 'volumes'"
        for variable in container.get("env", ()):
            yield from _of_variable(variable.get("valueFrom", {}), place, names)
        for source in container.get("envFrom", ()):
            yield from _of_variable(
                {"secretKeyRef": source.get("secretRef"), "configMapKeyRef": source.get("configMapRef")}, place, names
            )


def _of_volume(volume: Mapping[str, Any], place: str, names: Names) -> Iterator[tuple[str, str]]:
    if (settings := volume.get("configMap")) and not names.has("ConfigMap", place, settings["name"]):
        yield f"the ConfigMap {settings['name']!r} is not in {place!r}", "generate it in the kustomization"
    claim = volume.get("persistentVolumeClaim")
    if claim and not names.has("PersistentVolumeClaim", place, claim["claimName"]):
        yield f"the claim {claim['claimName']!r} is not in {place!r}", "add the PersistentVolumeClaim"
    if secret := volume.get("secret"):
        wanted = [item["key"] for item in secret.get("items", ())]
        yield from _of_secret(secret["secretName"], wanted, place, names)


def _of_variable(source: Mapping[str, Any], place: str, names: Names) -> Iterator[tuple[str, str]]:
    if secret := source.get("secretKeyRef"):
        yield from _of_secret(secret["name"], [secret["key"]] if "key" in secret else [], place, names)
    if (settings := source.get("configMapKeyRef")) and not names.has("ConfigMap", place, settings["name"]):
        yield f"the ConfigMap {settings['name']!r} is not in {place!r}", "generate it in the kustomization"


def _of_secret(wanted: str, keys: list[str], place: str, names: Names) -> Iterator[tuple[str, str]]:
    where = "apps/cli/src/appraiser_cli/cluster_secrets/declared.py"
    found = names.secrets.get((place, wanted))
    if found is None:
        yield f"the Secret {wanted!r} of {place!r} is made by nobody", f"declare it in {where}"
        return
    for key in keys:
        if key not in found:
            yield (
                f"the Secret {wanted!r} has no key {key!r} but {', '.join(sorted(found))}",
                f"read one of them, or declare it in {where}",
            )


def _of_cluster(cluster: Document, names: Names) -> Iterator[tuple[str, str]]:
    spec, place = cluster["spec"], namespace(cluster)
    wanted = [spec.get("bootstrap", {}).get("initdb", {}).get("secret", {}).get("name")]
    wanted += [role.get("passwordSecret", {}).get("name") for role in spec.get("managed", {}).get("roles", ())]
    for one in filter(None, wanted):
        yield from _of_secret(one, ["username", "password"], place, names)


def _of_binding(binding: Document, names: Names) -> Iterator[tuple[str, str]]:
    role = binding["roleRef"]
    place = "" if role["kind"] == "ClusterRole" else namespace(binding)
    if role["name"] not in _BY_KUBERNETES and not names.has(role["kind"], place, role["name"]):
        yield f"the {role['kind']} {role['name']!r} does not exist", "name one that stands beside it"
    for subject in binding.get("subjects", ()):
        who = (subject.get("namespace", ""), subject["name"])
        known = names.of.get("ServiceAccount", frozenset()) | _MADE_ELSEWHERE
        if subject["kind"] == "ServiceAccount" and who not in known:
            yield f"the ServiceAccount {who[1]!r} is not in {who[0]!r}", "name one that exists"
