"""Making the values: a few drawn at random, all others following from them, so that no two places disagree."""

import base64
import json
import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from pydantic import ValidationError

from appraiser_cli.cluster_secrets.declared import DECLARED
from appraiser_cli.cluster_secrets.errors import SecretsError
from appraiser_schema import ApiKey, KeyFile, Scope, hash_key, new_key, utc_now

type Place = tuple[str, str, str]
"""Namespace, name and key of a value."""

type Values = dict[Place, str]

NOBODY: Final = "http://alerts.invalid/"
"""Where alerts go while nobody is named: an address that cannot exist (RFC 2606)."""


class Group(StrEnum):
    """What can be rotated by itself."""

    DATABASE = "database"
    STORAGE = "storage"
    AIRFLOW = "airflow"
    KEYS = "keys"
    GRAFANA = "grafana"


KEYS: Final[Place] = ("fastapi", "api-keys", "keys.json")
"""The file of the API's keys."""

_BEFORE: Final = ".before"
_DATABASE: Final = "postgres-rw.database:5432"
_ROLES: Final = ("appraiser", "lake", "mlflow", "airflow")
_READERS: Final[Mapping[str, tuple[Place, tuple[Scope, ...]]]] = {
    "ui": (("streamlit", "api-key", "key"), (Scope.PREDICT, Scope.READ, Scope.FEEDBACK)),
    "prometheus": (("monitoring", "api-key", "key"), (Scope.READ,)),
    "operator": (("fastapi", "operator-key", "key"), tuple(Scope)),
}
"""API keys by name: where each is read, and what it may do."""


def make(
    before: Values | None = None, anew: frozenset[Group] = frozenset(Group), webhook_url: str | None = None
) -> Values:
    """Every value of every Secret.

    Args:
        before: What there was; values of other groups than `anew` stay.
        anew: What is drawn again.
        webhook_url: Where alerts go; as before where None.
    """
    before = before or {}
    values: Values = {}
    drawn = _Drawing(before, anew)
    for role in _ROLES:
        password = drawn.text(Group.DATABASE, ("database", f"role-{role}", "password"))
        values["database", f"role-{role}", "username"] = role
        values["database", f"role-{role}", "password"] = password
    values |= _storage(drawn) | _airflow(drawn, values) | _api(drawn, values, before)
    values["mlflow", "mlflow-database", "url"] = _url(values, "mlflow")
    values["monitoring", "grafana", "admin-password"] = drawn.text(
        Group.GRAFANA, ("monitoring", "grafana", "admin-password")
    )
    hook = ("monitoring", "alertmanager", "webhook-url")
    values[hook] = webhook_url or before.get(hook, NOBODY)
    return {place: values[place] for one in DECLARED for place in ((one.namespace, one.name, key) for key in one.keys)}


class _Drawing:
    """Draws a value, or takes the one that there was."""

    def __init__(self, before: Values, anew: frozenset[Group]) -> None:
        self.before = before
        self.anew = anew

    def text(self, group: Group, place: Place, size: int = 32) -> str:
        if place in self.before and group not in self.anew:
            return self.before[place]
        return secrets.token_urlsafe(size)


def _url(values: Values, role: str) -> str:
    password = quote(values["database", f"role-{role}", "password"], safe="")
    return f"postgresql+psycopg://{role}:{password}@{_DATABASE}/{role}"


def _storage(drawn: _Drawing) -> Values:
    mlflow, lake, backup = ("mlflow", "mlflow-s3"), ("airflow", "airflow-lake"), ("storage", "s3-backup")
    values = {
        (*secret, key): drawn.text(Group.STORAGE, (*secret, key), size)
        for secret in (mlflow, lake, backup)
        for key, size in (("access-key", 15), ("secret-key", 30))
    }
    # Each may do in its own bucket what it has to, and the backup may only read.
    identities = [
        *(
            _identity(bucket, values, secret, [f"{verb}:{bucket}" for verb in ("Read", "Write", "List", "Tagging")])
            for bucket, secret in (("mlflow", mlflow), ("lake", lake))
        ),
        _identity("backup", values, backup, ["Read", "List"]),
    ]
    return values | {("storage", "s3-config", "s3.json"): json.dumps({"identities": identities}, indent=2)}


def _identity(name: str, values: Values, secret: tuple[str, str], actions: list[str]) -> dict[str, object]:
    keys = {"accessKey": values[(*secret, "access-key")], "secretKey": values[(*secret, "secret-key")]}
    return {"name": name, "credentials": [keys], "actions": actions}


def _airflow(drawn: _Drawing, values: Values) -> Values:
    fernet, users = ("airflow", "airflow-fernet", "fernet-key"), ("airflow", "airflow-users", "passwords.json")
    kept = Group.AIRFLOW not in drawn.anew
    return {
        ("airflow", "airflow-metadata", "connection"): _url(values, "airflow"),
        ("airflow", "airflow-ledger", "url"): _url(values, "appraiser"),
        ("airflow", "airflow-lake", "url"): _url(values, "lake"),
        fernet: drawn.before[fernet] if kept and fernet in drawn.before else _fernet(drawn.before.get(fernet)),
        ("airflow", "airflow-api", "api-secret-key"): drawn.text(
            Group.AIRFLOW, ("airflow", "airflow-api", "api-secret-key")
        ),
        ("airflow", "airflow-jwt", "jwt-secret"): drawn.text(Group.AIRFLOW, ("airflow", "airflow-jwt", "jwt-secret")),
        users: drawn.before[users]
        if kept and users in drawn.before
        else json.dumps({"admin": secrets.token_urlsafe(18)}),
    }


def _fernet(before: str | None) -> str:
    """A new key, then the one before it: Airflow reads with both and writes with the first."""
    new = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return new if before is None else f"{new},{before.split(',')[0]}"


def _api(drawn: _Drawing, values: Values, before: Values) -> Values:
    """The API's ledger and keys. A replaced key holds until the next rotation, while its readers start anew."""
    anew = Group.KEYS in drawn.anew or KEYS not in before
    made: Values = {("fastapi", "api-ledger", "url"): _url(values, "appraiser")}
    keys = [key for key in keys_in(before) if key.name.removesuffix(_BEFORE) not in _READERS]
    for name, (place, scopes) in _READERS.items():
        made[place] = new_key() if anew else before[place]
        keys.append(_kept(name, made[place], scopes))
        if anew and place in before:
            keys.append(_kept(f"{name}{_BEFORE}", before[place], scopes))
    return made | {KEYS: _as_file(keys) if anew else before[KEYS]}


def keys_in(values: Values) -> tuple[ApiKey, ...]:
    """What the API knows of its keys."""
    return KeyFile.model_validate_json(values[KEYS]).keys if KEYS in values else ()


def with_key(values: Values, name: str, scopes: tuple[Scope, ...]) -> tuple[Values, str]:
    """The values with one more API key, which rotations leave alone, and the key itself.

    Raises:
        SecretsError: The name is taken, or cannot be one.
    """
    if name.removesuffix(_BEFORE) in {*_READERS, *(key.name for key in keys_in(values))}:
        raise SecretsError(f"there is a key {name!r} already; choose another name.")
    key = new_key()
    try:
        return values | {KEYS: _as_file([*keys_in(values), _kept(name, key, scopes)])}, key
    except ValidationError:
        raise SecretsError(f"{name!r} is no name for a key: 1 to 64 letters, digits, '.', '_' or '-'.") from None


def _kept(name: str, key: str, scopes: tuple[Scope, ...]) -> ApiKey:
    return ApiKey(name=name, sha256=hash_key(key), scopes=scopes, created_at=utc_now())


def _as_file(keys: list[ApiKey]) -> str:
    return KeyFile(keys=tuple(keys)).model_dump_json(indent=2)
