"""The whole check: render, hold against every policy, count."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.policies import POLICIES
from appraiser_cli.manifests.policies.images import unknown_digests
from appraiser_cli.manifests.world import World


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found.

    Attributes:
        files: YAML files that were read.
        folders: Overlays and components that were rendered.
        resources: Objects by kind, those of both overlays together.
        policies: Failures by policy, in the order of checking.
        unknown_digests: Images by overlay whose digest nobody has looked up yet.
        failures: What must be changed.
    """

    files: int
    folders: int
    resources: Mapping[str, int]
    policies: Mapping[str, int]
    unknown_digests: Mapping[str, list[str]]
    failures: tuple[Failure, ...]


def check_manifests(root: Path, *, released: bool = False) -> Report:
    """Check the manifests of a repository.

    Args:
        root: The repository.
        released: Whether digests that nobody has looked up yet are failures.

    Raises:
        ManifestToolError: A program or package is missing.
    """
    return judge(World.of(root, released=released))


def judge(world: World) -> Report:
    """Hold rendered manifests against every policy."""
    failures = [*world.broken]
    policies = {"renders": len(world.broken)}
    for policy, check in POLICIES.items():
        # What two overlays share is found in each of them and told once.
        found = list(dict.fromkeys(check(world)))
        policies[policy] = len(found)
        failures += found
    kinds = Counter(document["kind"] for rendered, document in world.each() if not rendered.optional)
    return Report(
        files=len(world.files),
        folders=len(world.rendered) + len(world.broken),
        resources=dict(sorted(kinds.items())),
        policies=policies,
        unknown_digests=unknown_digests(world),
        failures=tuple(failures),
    )
