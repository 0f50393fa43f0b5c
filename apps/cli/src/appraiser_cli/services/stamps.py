"""Which version's tables a database has: noted after a migration, for asking the program itself costs six seconds."""

from importlib.metadata import version
from pathlib import Path

from appraiser_cli.home import Home


def is_due(home: Home, package: str, database: str = "") -> bool:
    """Whether a database was not migrated yet by the version that is installed.

    Args:
        home: State folder.
        package: Whose tables.
        database: Which one, where it is not in the state folder.
    """
    stamp = _file(home, package)
    return not stamp.exists() or stamp.read_text(encoding="utf-8") != _text(package, database)


def note(home: Home, package: str, database: str = "") -> None:
    """Remember that a database fits the version that is installed."""
    _file(home, package).write_text(_text(package, database), encoding="utf-8")


def _file(home: Home, package: str) -> Path:
    return home.airflow / "migrated" if package == "apache-airflow" else home.folder / "mlflow" / "migrated"


def _text(package: str, database: str) -> str:
    return f"{version(package)} {database}".rstrip() + "\n"
