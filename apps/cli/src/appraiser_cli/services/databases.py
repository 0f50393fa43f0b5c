"""Databases and their owners, made where they are missing."""

from typing import Final

from psycopg import connect, sql
from psycopg.errors import DuplicateDatabase, InsufficientPrivilege, OperationalError
from sqlalchemy import URL, make_url

from appraiser_cli.errors import CliError
from appraiser_cli.home import Home
from appraiser_cli.services.store_credentials import ADMINISTRATOR, DATABASES, StoreCredentials, password_file

_PATIENCE_SECONDS: Final = 10

_LOCK: Final = 0x61_70_70_72
"""Number of the lock under which they are made: two who start at once on one server do not meet."""


def make_own(home: Home, credentials: StoreCredentials, port: int) -> None:
    """Make a database and its owner for each part on our own server; none sees the others'."""
    passwords = str(password_file(home))
    with connect(
        host="127.0.0.1", port=port, user=ADMINISTRATOR, dbname="postgres", passfile=passwords, autocommit=True
    ) as server:
        server.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        roles = {name for (name,) in server.execute("SELECT rolname FROM pg_roles")}
        there = {name for (name,) in server.execute("SELECT datname FROM pg_database")}
        for name in DATABASES:
            role = sql.Identifier(name)
            verb = sql.SQL("ALTER" if name in roles else "CREATE")
            password = sql.Literal(credentials.passwords[name])
            server.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, role, password))
            if name not in there:
                server.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(role))
                server.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(role))


def make_given(url: str) -> None:
    """Make a database on somebody else's server, unless it is there.

    Raises:
        CliError: The server does not answer, or does not let us.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql":
        return
    name = parsed.database or parsed.username or ""
    try:
        connect(_as_libpq(parsed), connect_timeout=_PATIENCE_SECONDS).close()
    except OperationalError as error:
        # That a database is absent is told by a text only: there is no connection yet that could have a code.
        if f'database "{name}" does not exist' not in str(error):
            raise CliError(
                f"the database {parsed.render_as_string(hide_password=True)} does not answer: {str(error).strip()}. "
                "Check the address, the server and the password."
            ) from None
        _make(parsed, name)


def _make(url: URL, name: str) -> None:
    try:
        with connect(
            _as_libpq(url.set(database="postgres")), connect_timeout=_PATIENCE_SECONDS, autocommit=True
        ) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except DuplicateDatabase:
        return
    except (OperationalError, InsufficientPrivilege) as error:
        raise CliError(
            f"the database {name!r} is missing and cannot be made: {str(error).strip()}. Make it, or name a "
            "user who may."
        ) from None


def _as_libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
