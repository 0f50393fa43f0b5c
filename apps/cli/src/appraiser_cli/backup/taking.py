"""Writes a backup of a state folder while the system runs.

What names something is copied before what it names: Airflow's runs before the ledger, the ledger before lake and
models, their databases before their files. No step of the pipeline runs meanwhile, so that all of them are of one
moment; what people ask of the API goes on.
"""

import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from appraiser_cli.backup import servers
from appraiser_cli.backup.archive import Writer, written
from appraiser_cli.backup.errors import BackupError, room
from appraiser_cli.backup.manifest import POSTGRESQL, Manifest, installed
from appraiser_cli.backup.own import check_own
from appraiser_cli.errors import NotThereError
from appraiser_cli.home import Home
from appraiser_cli.services.profile import Profile, profile_of
from appraiser_cli.services.store_credentials import BUCKETS
from appraiser_cli.settings import Settings
from appraiser_store.lock import STEPS, exclusive

_BUSY_SECONDS: Final = 30
_POSITION: Final = "position"
_PASSING: Final = ("lock", "folders.lock", f"{_POSITION}.new")
"""Files of the prediction log that hold nothing."""


def take(home: Home, settings: Settings, file: Path, say: Callable[[str], None]) -> Manifest:
    """Write everything that a state folder keeps into one file.

    Args:
        home: State folder.
        settings: Where its stores are.
        file: Where the backup is to lie; there must be none.
        say: Told what is done.

    Raises:
        NotThereError: There is nothing to back up.
        UsageError: A store is none of the state folder's own.
        BackupError: The file cannot be written.
        CliError: The disk is full.
    """
    if not home.has_state:
        raise NotThereError(
            f"there is no state in {str(home.folder)!r} to back up; name its state folder with --home DIR."
        )
    profile = profile_of(home)
    check_own(home, settings, profile)
    if not file.parent.is_dir():
        raise BackupError(file, f"there is no folder {str(file.parent)!r}")
    home.lake.mkdir(parents=True, exist_ok=True)
    versions = installed()
    with (
        room(file.parent, "write the backup"),
        written(file) as archive,
        tempfile.TemporaryDirectory(prefix=f".{file.name}-", dir=file.parent) as scratch,
    ):
        say("waits for the step of the pipeline that runs now, if one does")
        with exclusive(home.lake / STEPS):
            if profile is Profile.SERVICES:
                versions[POSTGRESQL] = servers.major(home)
                _copy_servers(home, settings, archive, Path(scratch), say)
            else:
                _copy_files(home, archive, Path(scratch), say)
        say("notes, passwords and keys")
        _add(home, archive, _notes(home))
        places = tuple(dict.fromkeys((str(home.folder), str(home.folder.resolve()))))
        return archive.finish(profile, places, versions)


def _copy_files(home: Home, archive: Writer, scratch: Path, say: Callable[[str], None]) -> None:
    say("databases")
    _copy_database(home, home.airflow / "airflow.db", archive, scratch)
    _add_predictions(home, archive)
    for database in (home.ledger, home.lake / "catalog.db", home.mlflow_database):
        _copy_database(home, database, archive, scratch)
    say("listings and models")
    for folder in (home.lake / "warehouse", home.lake / "landing", home.mlflow_artifacts):
        _add(home, archive, _below(folder))


def _copy_servers(home: Home, settings: Settings, archive: Writer, scratch: Path, say: Callable[[str], None]) -> None:
    with servers.servers(home, settings) as stores:
        say("databases")
        servers.dump(stores, "airflow", archive, scratch)
        _add_predictions(home, archive)
        for name in ("appraiser", "lake", "mlflow"):
            servers.dump(stores, name, archive, scratch)
        say("listings and models")
        for bucket in BUCKETS:
            servers.copy_bucket(stores, bucket, archive)
        _add(home, archive, _below(home.lake / "landing"))


def _copy_database(home: Home, database: Path, archive: Writer, scratch: Path) -> None:
    """Add a SQLite file as it is at one moment, whoever writes to it meanwhile.

    Raises:
        BackupError: It cannot be copied.
    """
    if not database.exists():
        return
    copy = scratch / database.name
    address = f"{database.as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.Error as error:
        problem = f"the copy of {str(database)!r} failed ({error}); see whether the disk is full"
        raise BackupError(archive.file, problem) from error
    with copy.open("rb") as content:
        archive.add(database.relative_to(home.folder).as_posix(), content)
    copy.unlink()


def _add_predictions(home: Home, archive: Writer) -> None:
    """Add what the API answered and the ledger does not have yet; the ledger, copied later, has what goes meanwhile.

    A position is copied before what it points into: at worst something reaches the ledger twice, where it counts once.
    """
    found = [path for path in _below(home.predictions) if path.name not in _PASSING]
    for path in sorted(found, key=lambda path: (path.parent, path.name != _POSITION, path.name)):
        try:
            content = path.open("rb")
        except FileNotFoundError:
            continue
        with content:
            archive.add(path.relative_to(home.folder).as_posix(), content)


def _notes(home: Home) -> Iterator[Path]:
    """Small files: what the state is, and what opens it."""
    named = (home.profile, home.source, home.keys, home.mlflow_database.parent / "migrated")
    airflow = (home.airflow / name for name in ("credentials.json", "passwords.json", "migrated"))
    yield from (path for path in (*named, *airflow) if path.exists())
    yield from _below(home.secrets)


def _below(folder: Path) -> list[Path]:
    """The files below a folder, without those that are still being written."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]


def _add(home: Home, archive: Writer, paths: Iterable[Path]) -> None:
    for path in paths:
        with path.open("rb") as content:
            archive.add(path.relative_to(home.folder).as_posix(), content)
