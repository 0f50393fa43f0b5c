"""Every container says what it needs and what it may take at most."""

from collections.abc import Iterator

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import pod_of, title
from appraiser_cli.manifests.world import World


def check(world: World) -> Iterator[Failure]:
    """Look for requests and limits of processor and memory, of the database's instances too."""
    seen: set[tuple[str, str]] = set()
    for rendered, document in world.each():
        pod = pod_of(document)
        told = [(one["name"], one.get("resources", {})) for one in pod.containers()] if pod else []
        if document["kind"] == "Cluster":
            told = [("postgres", document["spec"].get("resources", {}))]
        for container, resources in told:
            missing = [
                f"{kind}.{what}"
                for kind in ("requests", "limits")
                for what in ("cpu", "memory")
                if what not in resources.get(kind, {})
            ]
            file = world.file_of(document, rendered.folder)
            problem = f"{title(document)}: the container {container!r} has no {', '.join(missing)}"
            if missing and (file, problem) not in seen:
                seen.add((file, problem))
                yield Failure(
                    "resources",
                    file,
                    problem,
                    "add them under 'resources', from what docs/operations/cluster.md measured",
                )
