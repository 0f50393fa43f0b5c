"""A PostgreSQL server of the state folder's own, on the loopback address."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from appraiser_cli.errors import CliError
from appraiser_cli.home import Home
from appraiser_cli.running.ports import LOOPBACK
from appraiser_cli.running.service import Service
from appraiser_cli.services.store_credentials import ADMINISTRATOR, StoreCredentials
from appraiser_cli.services.stores import own_database

_DEBIAN: Final = Path("/usr/lib/postgresql")
_OWNER: Final = "postgres"
"""Who runs the server where the command itself is run by root, for PostgreSQL refuses that."""


def prepare(home: Home, credentials: StoreCredentials) -> None:
    """Make the cluster, unless it is there; half of one is never left.

    Raises:
        CliError: PostgreSQL is not installed, fits no more, or cannot work in this folder.
    """
    credentials.write_passwords(home)
    initdb = program(home, "initdb")
    if (home.postgresql / "data" / "PG_VERSION").exists():
        return
    shutil.rmtree(home.postgresql, ignore_errors=True)
    home.postgresql.mkdir(parents=True)
    user = _user()
    if user is not None:
        os.chown(home.postgresql, user.pw_uid, user.pw_gid)
        _check_way(home.postgresql, user)
    password = home.postgresql / "password"
    draft = home.postgresql / "draft"
    with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(credentials.passwords[ADMINISTRATOR])
    if user is not None:
        os.chown(password, user.pw_uid, user.pw_gid)
    options = ["-U", ADMINISTRATOR, "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--no-locale"]
    try:
        made = subprocess.run(
            [initdb, "-D", draft, *options],
            cwd=home.postgresql,
            capture_output=True,
            text=True,
            check=False,
            **_as(user),
        )
    finally:
        password.unlink()
    if made.returncode:
        raise CliError(f"PostgreSQL could not make a cluster in {str(home.postgresql)!r}: {made.stderr.strip()}")
    draft.rename(home.postgresql / "data")


def postgresql(home: Home, port: int) -> Service:
    """The server; it is ready when it lets the administrator in, and ended after those who use it."""
    url = own_database(home, ADMINISTRATOR, port)
    user = _user()
    return Service(
        name="postgresql",
        command=(
            *(program(home, "postgres"), "-D", str(home.postgresql / "data")),
            *("-c", f"listen_addresses={LOOPBACK}", "-c", f"port={port}"),
            # No socket in a folder that others write to; over TCP everybody needs a password.
            *("-c", "unix_socket_directories="),
        ),
        port=port,
        scheme="postgresql",
        probe=lambda: answers(url),
        user=user.pw_name if user else None,
        store=True,
    )


def answers(url: str) -> bool:
    """Whether a database lets us in."""
    engine = create_engine(url, connect_args={"connect_timeout": 2})
    try:
        engine.connect().close()
    except DBAPIError:
        return False
    finally:
        engine.dispose()
    return True


def server_version(url: str) -> str:
    """The version of the server that has a database."""
    engine = create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            return str(connection.exec_driver_sql("SHOW server_version").scalar())
    finally:
        engine.dispose()


def program(home: Home, name: str) -> str:
    """Path of one of PostgreSQL's programs, of the version that made the cluster.

    Raises:
        CliError: It is not installed, or only in another version.
    """
    stamp = home.postgresql / "data" / "PG_VERSION"
    made_by = stamp.read_text(encoding="ascii").strip() if stamp.exists() else ""
    found = {path.parent.parent.name: str(path) for path in sorted(_DEBIAN.glob(f"*/bin/{name}"), key=_number)}
    if made_by in found:
        return found[made_by]
    elsewhere = shutil.which(name)
    if elsewhere:
        found.setdefault(_version(elsewhere), elsewhere)
    if made_by:
        if made_by in found:
            return found[made_by]
        raise CliError(
            f"the cluster in {str(home.postgresql)!r} was made by PostgreSQL {made_by}, and installed is "
            f"{', '.join(found) or 'none'}. Install that version (on Debian: apt-get install postgresql-{made_by}), or "
            "add --fresh."
        )
    if not found:
        raise CliError(
            f"PostgreSQL is not installed: there is no {name} in {_DEBIAN}/*/bin nor on the PATH. Install it (on "
            "Debian: apt-get install postgresql), or name a server with APPRAISER_POSTGRESQL_URL."
        )
    return list(found.values())[-1]


def _number(path: Path) -> float:
    name = path.parent.parent.name
    return float(name) if name.replace(".", "", 1).isdigit() else 0.0


def _version(path: str) -> str:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout.split()
    return said[2].split(".")[0] if len(said) > 2 else ""


def _user() -> pwd.struct_passwd | None:
    """Who has to run the server; None where we may."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(_OWNER)
    except KeyError:
        raise CliError(
            f"PostgreSQL refuses to be run by root, and there is no user {_OWNER!r}. Run the command as another user, "
            "or install Debian's package postgresql, which brings that one."
        ) from None


def _as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _check_way(folder: Path, user: pwd.struct_passwd) -> None:
    reached = subprocess.run(["/usr/bin/test", "-w", folder], check=False, cwd="/", **_as(user)).returncode == 0
    if not reached:
        shutil.rmtree(folder)
        raise CliError(
            f"PostgreSQL refuses to be run by root, and the user {user.pw_name!r} cannot enter {str(folder)!r}. Choose "
            "a folder that others may pass through with --home DIR, or run the command as another user."
        )
