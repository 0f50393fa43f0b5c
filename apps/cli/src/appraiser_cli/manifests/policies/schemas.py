"""Every object has the fields that Kubernetes, or the maker of its kind, knows, and no others."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import group, title
from appraiser_cli.manifests.rendering import Document
from appraiser_cli.manifests.world import World

KUBERNETES: Final = "1.36"
"""Of K3s v1.36.4+k3s1."""

_FOLDER: Final = "gitops/schemas"


def check(world: World) -> Iterator[Failure]:
    """Validate every object strictly."""
    seen: set[tuple[str, str]] = set()
    for rendered, document in world.each():
        for problem, cure in _problems(world.root, json.dumps(document, sort_keys=True, default=str)):
            file = world.file_of(document, rendered.folder)
            if (file, problem) not in seen:
                seen.add((file, problem))
                yield Failure("schemas", file, f"{title(document)}: {problem}", cure)


@cache
def _problems(root: Path, text: str) -> tuple[tuple[str, str], ...]:
    """What is wrong with an object, and what to do; both overlays have many in common, which are looked at once."""
    document = json.loads(text)
    if "." in group(document) and not group(document).endswith(".k8s.io"):
        return tuple(_custom(root, document))
    return tuple(_own(document))


def _own(document: Document) -> Iterator[tuple[str, str]]:
    """Kubernetes' own kinds."""
    import kubernetes_validate  # noqa: PLC0415 - a development tool, wanted by this check only

    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        where = ".".join(map(str, error.path)) or "the object"
        yield f"{where}: {_short(error.message)}", f"write what Kubernetes {KUBERNETES} knows: kubectl explain"
    except kubernetes_validate.SchemaNotFoundError:
        known = f"{document.get('apiVersion')} {document.get('kind')}"
        yield f"Kubernetes {KUBERNETES} has no {known}", "name a kind and version that it has: kubectl api-resources"


def _custom(root: Path, document: Document) -> Iterator[tuple[str, str]]:
    """Kinds of others, by the schemas that lie beside the manifests."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - a development tool, wanted by this check only

    version = str(document["apiVersion"]).split("/")[-1]
    file = root / _FOLDER / group(document) / f"{document['kind'].lower()}_{version}.json"
    if not file.exists():
        yield (
            f"there is no schema of {document['apiVersion']} {document['kind']}",
            f"put one into {_FOLDER}/{group(document)}/{file.name}; {_FOLDER}/README.md tells how",
        )
        return
    for error in Draft202012Validator(_schema(file)).iter_errors(document):
        where = ".".join(map(str, error.absolute_path)) or "the object"
        yield f"{where}: {_short(error.message)}", f"write what {_FOLDER}/{group(document)}/{file.name} knows"


@cache
def _schema(file: Path) -> dict[str, Any]:
    """A schema in which objects have no other fields than those that it names."""
    closed: dict[str, Any] = _closed(json.loads(file.read_text(encoding="utf-8")), top=True)
    return closed


def _closed(schema: Any, *, top: bool = False) -> Any:
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if "properties" in schema and isinstance(schema["properties"], dict):
        # What lies inside 'properties' are names, not words of a schema.
        closed["properties"] = {key: _closed(value) for key, value in schema["properties"].items()}
        if top:
            closed["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {"type": "object"}}
        open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
        if not open_ended:
            closed["additionalProperties"] = False
    return closed


def _short(message: str) -> str:
    return message if len(message) <= 200 else f"{message[:197]}..."
