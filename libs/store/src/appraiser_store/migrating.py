"""Bringing the tables of a ledger to the version that this code reads, once, whoever else opens it meanwhile."""

from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, String, column, inspect, select, table, text

from appraiser_store.errors import LedgerVersionError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "0001"
"""The latest change in `migrations/versions`."""

VERSION_TABLE: Final = "ledger_version"
"""Of its own name: MLflow and Airflow keep their numbers in `alembic_version`, perhaps in the same database."""

_LOCK: Final = 0x61_70_70_6C
"""Number of PostgreSQL's lock under which a ledger is changed."""

_FOLDER: Final = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Make the tables that are absent, and change those that are old. On SQLite the caller lets nobody else do so.

    Raises:
        LedgerVersionError: The ledger was changed by a later version of this library.
    """
    # To look costs a millisecond, and Alembic half a second to import.
    if version(engine) == HEAD:
        return
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        # Who has waited for the lock finds the work done.
        found = version(connection)
        if found != HEAD:
            _run(connection, found)


def version(bind: Engine | Connection) -> str | None:
    """The number of the latest change of a ledger; None where it has none, because it is new or from before them."""
    if not inspect(bind).has_table(VERSION_TABLE):
        return None
    query = select(column("version_num", String)).select_from(table(VERSION_TABLE))
    if isinstance(bind, Connection):
        return bind.scalar(query)
    with bind.connect() as connection:
        return connection.scalar(query)


def statements(dialect: str) -> str:
    """Every change as statements of a database, for those who let no program change theirs."""
    from alembic import command  # noqa: PLC0415 - needed when something changes only

    written = StringIO()
    config = _config(output=written)
    config.attributes["dialect"] = dialect
    command.upgrade(config, "head", sql=True)
    return written.getvalue()


def _begin(connection: Connection) -> None:
    """Make what is absent of the first version, without Alembic.

    Alembic keeps what it works on in the module, for the whole process; MLflow changes its own tables by it in another
    thread when a service starts, and the two would take each other's.
    """
    import appraiser_store.prediction_tables  # noqa: F401, PLC0415 - its tables belong to the same metadata
    from appraiser_store.ledger_tables import METADATA  # noqa: PLC0415 - beside the tables that come with it

    METADATA.create_all(connection)
    connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES (:number)"), {"number": HEAD})  # noqa: S608 - a constant


def _run(connection: Connection, found: str | None) -> None:
    if found is None and HEAD == "0001" and not inspect(connection).has_table(VERSION_TABLE):
        _begin(connection)
        return
    from alembic import command  # noqa: PLC0415 - as above
    from alembic.util import CommandError  # noqa: PLC0415 - as above

    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise LedgerVersionError(str(found), HEAD) from error


def _config(output: StringIO | None = None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config(output_buffer=output) if output is not None else Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config
