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
        for problem, cure in _problems(world.root, document):
            file = world.file_of(document, rendered.folder)
            if (file, problem) not in seen:
                seen.add((file, problem))
                yield Failure("schemas", file, f"{title(document)}: {problem}", cure)


def _problems(root: Path, document: Document) -> tuple[tuple[str, str], ...]:
    # Overlays have many objects in common, which are looked at once.
    text = json.dumps(document, sort_keys=True, default=str)
    if "." not in group(document) or group(document).endswith(".k8s.io"):
        return _own(text)
    version = str(document["apiVersion"]).rsplit("/", maxsplit=1)[-1]
    file = Path(_FOLDER) / group(document) / f"{document['kind'].lower()}_{version}.json"
    if (root / file).exists():
        return _custom(text, str(file), (root / file).read_text(encoding="utf-8"))
    missing = f"there is no schema of {document['apiVersion']} {document['kind']}"
    return ((missing, f"put one into {file}; {_FOLDER}/README.md tells how"),)


@cache
def _own(text: str) -> tuple[tuple[str, str], ...]:
    """Kubernetes' own kinds."""
    import kubernetes_validate  # noqa: PLC0415 - a development tool, wanted by this check only

    document = json.loads(text)
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        where = ".".join(map(str, error.path)) or "the object"
        return ((f"{where}: {_short(error.message)}", f"write what Kubernetes {KUBERNETES} knows: kubectl explain"),)
    except kubernetes_validate.SchemaNotFoundError:
        known = f"{document.get('apiVersion')} {document.get('kind')}"
        return ((f"Kubernetes {KUBERNETES} has no {known}", "name a kind that it has: kubectl api-resources"),)
    return ()


@cache
def _custom(text: str, file: str, schema: str) -> tuple[tuple[str, str], ...]:
    """Kinds of others, by the schemas that lie beside the manifests."""
    found = _validator(schema).iter_errors(json.loads(text))
    return tuple(
        (
            f"{'.'.join(map(str, error.absolute_path)) or 'the object'}: {_short(error.message)}",
            f"write what {file} knows",
        )
        for error in found
    )


@cache
def _validator(schema: str) -> Any:
    """For objects that have no other fields than those that a schema names."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - a development tool, wanted by this check only

    return Draft202012Validator(_closed(json.loads(schema), top=True))


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
