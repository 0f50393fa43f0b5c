"""No file holds a secret: manifests name Secrets, values and compose name variables, and SOPS files are encrypted."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import title
from appraiser_cli.manifests.world import World

_SECRET_NAME: Final = re.compile(
    r"(password|passwd|secret|token|credential|api_?key|private_?key|access_?key|fernet_?key|jwt)", re.IGNORECASE
)
_NO_SECRET: Final = re.compile(
    r"(secret_?key$|secret_?(key)?_?(name|ref)|secretname$|_file$|_id$|_url$|_path$|automount|file$|policy|existing|_cmd$|permissions$)",
    re.IGNORECASE,
)
"""Names that sound like a secret and tell where one is."""

_TEXTS: Final = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|AGE-SECRET-KEY-1"),
    "a password in an address": re.compile(r"://[^\s:/@{}$]+:[^\s@/{}$]{3,}@"),
    "a key of Amazon": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a token of GitHub": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}\b"),
}
_CURE: Final = "name a Secret that './appraiser secrets create' makes; rotate this value, for git keeps it"


def check(world: World) -> Iterator[Failure]:
    """Look into every file, and for objects that are Secrets, generated ones too."""
    for rendered, document in world.each():
        if document["kind"] == "Secret":
            yield Failure("secrecy", world.file_of(document, rendered.folder), f"{title(document)} is in git", _CURE)
    for file in world.files:
        yield from _encrypted(world, file) if file.name.endswith(".sops.yaml") else _open(world, file)


def _open(world: World, file: Path) -> Iterator[Failure]:
    """A file that anybody can read."""
    text, where = file.read_text(encoding="utf-8"), world.relative(file)
    for what, pattern in _TEXTS.items():
        for found in pattern.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield Failure("secrecy", f"{where}:{line}", f"{what} stands there", _CURE)
    for document in world.parsed.get(file, ()):
        if any(item.get("kind") == "Secret" for item in _items(document)):
            yield Failure("secrecy", where, "a Secret stands there in plain text", _CURE)
        for path, value in _named(document):
            yield Failure("secrecy", where, f"{path} is {value[:3]}…, a value", _CURE)


def _encrypted(world: World, file: Path) -> Iterator[Failure]:
    for document in (item for whole in world.parsed.get(file, ()) for item in _items(whole)):
        for part in ("data", "stringData"):
            for key, value in document.get(part, {}).items():
                if not str(value).startswith("ENC["):
                    yield Failure(
                        "secrecy",
                        world.relative(file),
                        f"{title(document)}: {key!r} is not encrypted",
                        "make the file with './appraiser secrets create', never by hand",
                    )


def _items(document: Any) -> list[dict[str, Any]]:
    """An object, or those of a list of objects."""
    if not isinstance(document, dict):
        return []
    return document["items"] if document.get("kind") == "List" else [document]


def _named(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Values under names that sound like secrets."""
    if isinstance(value, list):
        for one in value:
            # A variable of a container: its name says what its value is.
            if isinstance(one, dict) and {"name", "value"} <= set(one):
                yield from _named({str(one["name"]): one["value"]}, path)
            yield from _named(one, path)
    if isinstance(value, dict):
        for key, one in value.items():
            here = f"{path}.{key}".lstrip(".")
            if isinstance(one, str) and _is_secret(str(key)) and _is_value(one):
                yield here, one
            yield from _named(one, here)


def _is_secret(key: str) -> bool:
    return bool(_SECRET_NAME.search(key)) and not _NO_SECRET.search(key)


def _is_value(text: str) -> bool:
    """Whether a text is the thing itself; a variable, a path or a switch is not."""
    plain = text.strip()
    return bool(plain) and not plain.startswith(("$", "/", "ENC[")) and plain.lower() not in {"true", "false", "key"}
