"""Values given to charts of others: only keys that their small schemas name, with values of their types.

Charts of others cannot be fetched where this runs, so what they come to is not rendered. Each has a small schema of the
keys that we set, compared with what is published of that version: `helm template` tells more.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import yaml

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import name
from appraiser_cli.manifests.policies.applications import sources
from appraiser_cli.manifests.rendering import Document
from appraiser_cli.manifests.world import World

_FOLDER: Final = "gitops/schemas/charts"


def check(world: World) -> Iterator[Failure]:
    """Validate the values of every chart that an application takes."""
    seen: set[Failure] = set()
    for rendered, document in world.each():
        if document["kind"] == "Application":
            for source in sources(document):
                if "chart" in source:
                    for failure in _of_chart(world, document, source, rendered.folder):
                        if failure not in seen:
                            seen.add(failure)
                            yield failure


def _of_chart(world: World, application: Document, source: dict[str, Any], near: str) -> Iterator[Failure]:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - a development tool, wanted by this check only

    file = world.root / _FOLDER / f"{source['chart']}-{source['targetRevision']}.json"
    place = world.file_of(application, near)
    if not file.exists():
        yield Failure(
            "charts",
            place,
            f"{name(application)} takes {source['chart']} {source['targetRevision']}, whose values nobody looked up",
            f"look up the keys that are set in that version, and write them to {world.relative(file)}",
        )
        return
    schema = json.loads(file.read_text(encoding="utf-8"))
    for where, values in _values(world, source, place):
        for error in Draft202012Validator(schema).iter_errors(values):
            path = ".".join(map(str, error.absolute_path)) or "values"
            yield Failure(
                "charts", where, f"{path}: {error.message[:200]}", f"set what {world.relative(file)} has looked up"
            )


def _values(world: World, source: dict[str, Any], place: str) -> Iterator[tuple[str, Any]]:
    """Each file of values with what it holds."""
    helm = source.get("helm", {})
    if "valuesObject" in helm:
        yield place, helm["valuesObject"]
    for reference in helm.get("valueFiles", ()):
        file = world.root / reference.removeprefix("$").partition("/")[2]
        if file.exists():
            yield world.relative(file), yaml.safe_load(file.read_text(encoding="utf-8")) or {}
