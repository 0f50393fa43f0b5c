"""Passwords of the databases and keys of the buckets: made once per state folder, readable by their owner only.

The databases' addresses hold no password: they name a file that PostgreSQL's own library reads, so that nothing secret
stands in a command line, a log or an error.
"""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from appraiser_cli.home import Home

DATABASES: Final = ("appraiser", "lake", "mlflow", "airflow")
"""Each has an owner of its own name, who sees no other."""

ADMINISTRATOR: Final = "postgres"
BUCKETS: Final = ("mlflow", "lake")


@dataclass(frozen=True, slots=True)
class S3Key:
    """A key of the object store."""

    access_key: str
    secret_key: str

    @classmethod
    def make(cls) -> Self:
        """A new one."""
        return cls(secrets.token_hex(10), secrets.token_hex(24))


@dataclass(frozen=True, slots=True)
class StoreCredentials:
    """What opens the stores.

    Attributes:
        passwords: Of the databases' owners and of the administrator, by role.
        keys: Of the buckets' users, by bucket.
    """

    passwords: dict[str, str]
    keys: dict[str, S3Key]

    @classmethod
    def load_or_make(cls, home: Home) -> Self:
        """The credentials of a state folder; new ones where it has none."""
        path = home.secrets / "stores.json"
        if path.exists():
            known = json.loads(path.read_text(encoding="utf-8"))
            return cls(known["passwords"], {name: S3Key(**key) for name, key in known["keys"].items()})
        made = cls(
            {role: secrets.token_hex(24) for role in (*DATABASES, ADMINISTRATOR)},
            {bucket: S3Key.make() for bucket in BUCKETS},
        )
        write_secret(path, json.dumps(asdict(made), indent=2) + "\n")
        return made

    def write_passwords(self, home: Home) -> None:
        """Write the file that PostgreSQL's library reads."""
        lines = [f"*:*:*:{role}:{password}\n" for role, password in self.passwords.items()]
        write_secret(password_file(home), "".join(lines))


def password_file(home: Home) -> Path:
    """Where the passwords of the databases' owners stand, as libpq reads them."""
    return home.secrets / "pgpass"


def write_secret(path: Path, text: str) -> None:
    """Replace a file in one step; at no moment can anybody but its owner read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    draft = path.with_name(f".{path.name}.tmp")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
