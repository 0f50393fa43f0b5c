"""Airflow's keys and the password of its one user: made once per state folder, readable by its owner only."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from typing import Self

from appraiser_cli.home import Home


@dataclass(frozen=True, slots=True)
class Credentials:
    """What Airflow signs and encrypts with, and who may log in."""

    user: str
    password: str
    jwt_secret: str
    secret_key: str
    fernet_key: str

    @classmethod
    def load_or_make(cls, home: Home) -> Self:
        """The credentials of a state folder; new ones where it has none."""
        path = home.airflow / "credentials.json"
        if path.exists():
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        made = cls(
            user="admin",
            password=secrets.token_urlsafe(12),
            jwt_secret=secrets.token_urlsafe(48),
            secret_key=secrets.token_urlsafe(32),
            fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(made), file, indent=2)
        draft.replace(path)
        return made
