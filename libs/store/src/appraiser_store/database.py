"""Opening the database of the ledger: SQLite in a file, or any other that SQLAlchemy speaks to."""

from pathlib import Path
from sqlite3 import Connection
from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from appraiser_store.errors import ForeignLedgerError, LedgerSchemaError
from appraiser_store.ledger_tables import METADATA
from appraiser_store.lock import exclusive
from appraiser_store.migrating import migrate

BUSY_SECONDS: Final = 30
"""How long a connection waits while another one writes to the same SQLite file; a write takes milliseconds."""


def open_database(url: str) -> Engine:
    """Connect, bring the tables up to date, and check them; processes may do so at the same moment.

    Args:
        url: As SQLAlchemy writes them, such as 'sqlite:///var/ledger.db'. The folder of a SQLite file is made.

    Raises:
        ForeignLedgerError: The database cannot be opened, or is none.
        LedgerSchemaError: A table has other columns than this version of the code reads.
        LedgerVersionError: It was changed by a later version of the code.
    """
    parsed = _parsed(url)
    try:
        engine = create_engine(parsed, **_options(parsed))
        try:
            _prepare(engine)
        except BaseException:
            engine.dispose()
            raise
    except (ArgumentError, ImportError, OSError, DBAPIError) as error:
        problem = error.orig if isinstance(error, DBAPIError) else error
        raise ForeignLedgerError(parsed.render_as_string(hide_password=True), str(problem).strip()) from error
    return engine


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        # What cannot be read may hold a password all the same.
        raise ForeignLedgerError(url.rsplit("@", maxsplit=1)[-1], "this is no URL") from error


def _options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() != "sqlite":
        return {"pool_pre_ping": True}
    if url.database in {None, "", ":memory:"}:
        raise ArgumentError("it names no file")
    return {"connect_args": {"timeout": BUSY_SECONDS}}


def _prepare(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        _prepare_file(engine, Path(str(engine.url.database)))
    else:
        migrate(engine)
    _check_columns(engine)


def _prepare_file(engine: Engine, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    event.listen(engine, "connect", _enforce_foreign_keys)
    # Two processes cannot both turn the write-ahead log on, and neither waits for the other.
    with exclusive(file.with_name(f"{file.name}.lock")):
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        migrate(engine)
    _follow_file(engine, file)


def _follow_file(engine: Engine, file: Path) -> None:
    """Keep connections from writing to a file that was moved away, and from making an empty one in its place."""

    def refuse_missing(*_: object) -> None:
        file.stat()

    def remember(_: Connection, record: ConnectionPoolEntry) -> None:
        record.info["file"] = _identity(file)

    def compare(_: Connection, record: ConnectionPoolEntry, __: object) -> None:
        if record.info.setdefault("file", _identity(file)) != _identity(file):
            raise DisconnectionError

    event.listen(engine, "do_connect", refuse_missing)
    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", compare)


def _identity(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_dev, found.st_ino


def _enforce_foreign_keys(connection: Connection, _: object) -> None:
    connection.execute("PRAGMA foreign_keys=ON")


def _check_columns(engine: Engine) -> None:
    found = inspect(engine).get_multi_columns(filter_names=list(METADATA.tables))
    for (_, name), columns in found.items():
        have = {column["name"] for column in columns}
        want = set(METADATA.tables[name].columns.keys())
        if have != want:
            raise LedgerSchemaError(name, sorted(want - have), sorted(have - want))
