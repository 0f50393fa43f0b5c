"""The order of syncing can be gone through: what an application needs comes earlier, and nothing needs itself."""

from collections.abc import Iterator, Mapping
from typing import Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import annotations, name
from appraiser_cli.manifests.policies.applications import wave
from appraiser_cli.manifests.rendering import Document
from appraiser_cli.manifests.world import World

NEEDS: Final = "appraiser/needs"
"""Annotation of an application: names of others, with blanks between, that must be healthy before it is synced."""

PROJECTS_WAVE: Final = -2


def check(world: World) -> Iterator[Failure]:
    """Follow what the applications need."""
    found = {
        name(document): document
        for rendered in world.rendered
        if rendered.folder.startswith("gitops/applications/")
        for document in rendered.documents
        if document["kind"] == "Application"
    }
    needs = {one: annotations(document).get(NEEDS, "").split() for one, document in found.items()}
    for one, document in found.items():
        file = world.file_of(document, "gitops/applications/base")
        if "argocd.argoproj.io/sync-wave" not in annotations(document):
            yield Failure("waves", file, f"{one} is in no wave", "annotate it argocd.argoproj.io/sync-wave")
        for other in needs[one]:
            if other not in found:
                yield Failure("waves", file, f"{one} needs {other!r}, which does not exist", "name an application")
            elif wave(found[other]) >= wave(document):
                yield Failure(
                    "waves",
                    file,
                    f"{one} (wave {wave(document)}) needs {other} (wave {wave(found[other])}), which is not earlier",
                    f"put it into wave {wave(found[other]) + 1} or later",
                )
    yield from _cycles(world, found, needs)


def _cycles(world: World, found: Mapping[str, Document], needs: Mapping[str, list[str]]) -> Iterator[Failure]:
    told: set[frozenset[str]] = set()
    for start in found:
        for way in _ways_back(start, needs, (start,)):
            if frozenset(way) not in told:
                told.add(frozenset(way))
                yield Failure(
                    "waves",
                    world.file_of(found[start], "gitops/applications/base"),
                    f"a cycle: {' needs '.join((*way, start))}",
                    f"take one of them out of '{NEEDS}'",
                )


def _ways_back(start: str, needs: Mapping[str, list[str]], way: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for other in needs.get(way[-1], ()):
        if other == start:
            yield way
        elif other not in way:
            yield from _ways_back(start, needs, (*way, other))
