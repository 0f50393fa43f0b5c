"""The secrets of compose.yaml: made once, never shown, never in git.

What compose.yaml names as a variable stands in `.env`; what a program reads as a file lies below `var/compose`, which
only its owner can enter. Inside a container each folder is read by another user than here, so that its files are not
closed themselves.
"""

import base64
import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appraiser_cli.errors import CliError, NotThereError, UsageError
from appraiser_cli.home import ROOT
from appraiser_cli.keys import create_key, read_keys, revoke_key
from appraiser_schema import Scope, hash_key

NOWHERE: Final = "http://127.0.0.1:9/no-receiver"
"""Where alerts go until somebody says where: to nobody."""

LEAST_LENGTH: Final = 16
"""Of a secret, in characters; those that are made have 32 and more."""

_EXAMPLES: Final = frozenset({"admin", "appraiser", "changeme", "password", "postgres", "secret", "example"})

_API_KEYS: Final[dict[str, tuple[str, tuple[Scope, ...]]]] = {
    "UI_API_KEY": ("ui", (Scope.PREDICT, Scope.READ, Scope.FEEDBACK)),
    "PROMETHEUS_API_KEY": ("prometheus", (Scope.READ,)),
}
"""Name and scopes in the file of keys, by the variable that holds the key."""


def _password() -> str:
    # Stands in addresses of databases too: no character there has a meaning of its own.
    return secrets.token_hex(24)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


VARIABLES: Final[dict[str, Callable[[], str]]] = {
    "POSTGRES_PASSWORD": _password,
    "APPRAISER_DB_PASSWORD": _password,
    "LAKE_DB_PASSWORD": _password,
    "MLFLOW_DB_PASSWORD": _password,
    "AIRFLOW_DB_PASSWORD": _password,
    "MONITOR_DB_PASSWORD": _password,
    "MLFLOW_S3_KEY": lambda: secrets.token_hex(10),
    "MLFLOW_S3_SECRET": _password,
    "LAKE_S3_KEY": lambda: secrets.token_hex(10),
    "LAKE_S3_SECRET": _password,
    "AIRFLOW_FERNET_KEY": _fernet_key,
    "AIRFLOW_SECRET_KEY": _password,
    "AIRFLOW_JWT_SECRET": lambda: secrets.token_hex(48),
    "AIRFLOW_PASSWORD": lambda: secrets.token_urlsafe(18),
    "GRAFANA_PASSWORD": lambda: secrets.token_urlsafe(18),
}
"""How each secret is made that stands for itself; the API's keys are made together with its file."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the secrets of one repository lie."""

    root: Path = ROOT

    @property
    def variables(self) -> Path:
        """The file that Compose reads by itself."""
        return self.root / ".env"

    @property
    def files(self) -> Path:
        """Folder of what is mounted."""
        return self.root / "var" / "compose"

    @property
    def keys(self) -> Path:
        """The API's keys."""
        return self.files / "api" / "keys.json"


def make_secrets(places: Places, alerts_to: str | None = None) -> list[str]:
    """Make every secret that is not there yet; those that are there stay.

    Args:
        places: Where they lie.
        alerts_to: Address that alerts are posted to; None keeps the one there is.

    Returns:
        Names of the variables that were made.

    Raises:
        UsageError: A secret that is there is a known one, or too short to be one.
    """
    known = read_variables(places.variables)
    _refuse_weak(known)
    made = {name: make() for name, make in VARIABLES.items() if not known.get(name)}
    values = {"COMPOSE_PROFILES": "core,monitoring"} | known | made
    places.files.mkdir(parents=True, exist_ok=True)
    places.files.chmod(0o700)
    for variable, (name, scopes) in _API_KEYS.items():
        values[variable] = _api_key(places.keys, name, scopes, values.get(variable, ""))
    _write(places.variables, _text(values), 0o600)
    _write_files(places, values, alerts_to)
    return [name for name in values if values[name] != known.get(name) and name != "COMPOSE_PROFILES"]


def read_variables(path: Path) -> dict[str, str]:
    """The variables of an `.env` file, empty where there is none."""
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, _, value in pairs}


def check(places: Places) -> None:
    """Hold the secrets against what compose.yaml needs, and the file against Compose itself.

    Raises:
        NotThereError: A secret is missing.
        UsageError: A secret is a known one, or too short to be one.
        CliError: Compose refuses the file.
    """
    known = read_variables(places.variables)
    _refuse_weak(known)
    if absent := [name for name in (*VARIABLES, *_API_KEYS) if not known.get(name)]:
        raise NotThereError(f"no {', '.join(absent)} in {places.variables}; './appraiser compose secrets' makes them.")
    compose_config(places.variables, places.root)


def compose_config(variables: Path, root: Path = ROOT) -> dict[str, Any]:
    """The services, volumes and networks that Compose reads from compose.yaml, all profiles, variables filled in.

    Args:
        variables: The `.env` file to read; this process's own variables count for nothing.
        root: Folder of compose.yaml.

    Raises:
        CliError: Compose refuses the file.
    """
    program = ROOT / ".venv" / "bin" / "docker-compose"
    named = ["--file", str(root / "compose.yaml"), "--env-file", str(variables)]
    line = [str(program), *named, "--profile", "*", "config", "--format", "json"]
    bare = {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/")}
    result = subprocess.run(line, cwd=root, capture_output=True, text=True, check=False, env=bare)
    if result.returncode:
        raise CliError(f"Compose refuses {root / 'compose.yaml'}: {result.stderr.strip()}")
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _refuse_weak(known: Mapping[str, str]) -> None:
    for name in (*VARIABLES, *_API_KEYS):
        value = known.get(name, "")
        if value and (len(value) < LEAST_LENGTH or value.lower() in _EXAMPLES):
            raise UsageError(
                f"{name} in .env is a word out of an example, or has fewer than {LEAST_LENGTH} characters; take the "
                "line out, and './appraiser compose secrets' makes a good one"
            )


def _api_key(keys: Path, name: str, scopes: tuple[Scope, ...], known: str) -> str:
    there = {key.name: key for key in read_keys(keys)}
    if name in there:
        if known and there[name].sha256 == hash_key(known) and set(there[name].scopes) == set(scopes):
            return known
        revoke_key(keys, name)
    return create_key(keys, name, scopes)


def _write_files(places: Places, values: Mapping[str, str], alerts_to: str | None) -> None:
    webhook = places.files / "alertmanager" / "webhook-url"
    if alerts_to is None:
        alerts_to = webhook.read_text(encoding="utf-8") if webhook.exists() else NOWHERE
    for name, text in (
        ("airflow/passwords.json", json.dumps({"admin": values["AIRFLOW_PASSWORD"]})),
        ("s3/s3.json", json.dumps(_identities(values), indent=2)),
        ("prometheus/api-key", values["PROMETHEUS_API_KEY"]),
        ("alertmanager/webhook-url", alerts_to),
    ):
        _write(places.files / name, text, 0o644)
    for path in (places.keys, *places.files.glob("*/*")):
        path.parent.chmod(0o755)
        path.chmod(0o644)


def _identities(values: Mapping[str, str]) -> dict[str, Any]:
    """Who may do what in SeaweedFS: each part in its own bucket."""
    return {
        "identities": [
            {
                "name": bucket,
                "credentials": [
                    {
                        "accessKey": values[f"{bucket.upper()}_S3_KEY"],
                        "secretKey": values[f"{bucket.upper()}_S3_SECRET"],
                    }
                ],
                "actions": [f"{action}:{bucket}" for action in ("Read", "Write", "List")],
            }
            for bucket in ("mlflow", "lake")
        ]
    }


def _text(values: Mapping[str, str]) -> str:
    lines = [f"{name}={value}" for name, value in values.items()]
    return "\n".join(["# Made by './appraiser compose secrets'. Keep it; never commit it.", *lines, ""])


def _write(path: Path, text: str, mode: int) -> None:
    """Replace a file in one step; at no moment has it other rights than these."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).chmod(mode)
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
