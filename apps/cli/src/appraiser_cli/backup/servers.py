"""What the profile with services keeps in its own PostgreSQL and SeaweedFS, copied out and in."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pyarrow.fs import FileSelector, FileType
from sqlalchemy import make_url

from appraiser_cli.backup.archive import Writer
from appraiser_cli.errors import CliError, RunningError
from appraiser_cli.home import Home
from appraiser_cli.running import lock
from appraiser_cli.running.supervisor import Supervisor
from appraiser_cli.services import databases, postgresql, seaweedfs
from appraiser_cli.services.addresses import Addresses, running
from appraiser_cli.services.store_credentials import BUCKETS, DATABASES, StoreCredentials
from appraiser_cli.services.stores import Stores
from appraiser_cli.settings import Settings

BUCKETS_FOLDER: Final = "buckets"
DATABASES_FOLDER: Final = "databases"
_OWN: Final = ("postgresql", "seaweedfs")
_LOOK_SECONDS: Final = 0.1


@contextmanager
def servers(home: Home, settings: Settings) -> Iterator[Stores]:
    """The servers of a state folder: those that run, or started for the time inside.

    Raises:
        RunningError: Somebody is starting or ending them.
    """
    ports = running(home)
    if set(_OWN) <= set(ports):
        yield Stores(home, settings, ports)
        return
    with lock.hold(home) as held:
        if not held or set(_OWN) & set(ports):
            raise RunningError(home.folder, "a backup, while its stores are being started or ended,")
        with started(home, settings) as stores:
            yield stores


@contextmanager
def started(home: Home, settings: Settings) -> Iterator[Stores]:
    """The servers of a state folder that nobody else runs; made where they are missing, and ended afterwards."""
    credentials = StoreCredentials.load_or_make(home)
    places = Addresses.choose(lambda _: 0, names=_OWN)
    stores = Stores(home, settings, places.ports)
    postgresql.prepare(home, credentials)
    with Supervisor(home) as supervisor:
        supervisor.start(seaweedfs.seaweedfs(home, credentials, places.ports["seaweedfs"], stores))
        supervisor.start(postgresql.postgresql(home, places.ports["postgresql"]))
        while supervisor.waiting():
            supervisor.check()
            time.sleep(_LOOK_SECONDS)
        databases.make_own(home, credentials, places.ports["postgresql"])
        yield stores


def dump(stores: Stores, name: str, archive: Writer, scratch: Path) -> None:
    """Add a database, as it is at one moment, to an archive."""
    file = scratch / f"{name}.dump"
    _run(stores, name, "pg_dump", "--format=custom", f"--file={file}")
    with file.open("rb") as content:
        archive.add(f"{DATABASES_FOLDER}/{file.name}", content)
    file.unlink()


def copy_bucket(stores: Stores, bucket: str, archive: Writer) -> None:
    """Add every object of a bucket to an archive."""
    files = seaweedfs.files(stores.s3(bucket))
    found = files.get_file_info(FileSelector(bucket, recursive=True))
    for path in sorted(info.path for info in found if info.type is FileType.File):
        with files.open_input_stream(path) as content:
            archive.add(f"{BUCKETS_FOLDER}/{path}", content)


def fill(home: Home, settings: Settings, folder: Path) -> None:
    """Make the servers of a state folder, and put into them what was extracted from an archive."""
    with started(home, settings) as stores:
        for name in DATABASES:
            file = folder / DATABASES_FOLDER / f"{name}.dump"
            # All of it or nothing; the owner, who makes everything, is of the same name.
            options = ("--single-transaction", "--exit-on-error", "--no-owner", f"--dbname={name}", str(file))
            _run(stores, name, "pg_restore", *options)
        for bucket in BUCKETS:
            _fill_bucket(stores, bucket, folder / BUCKETS_FOLDER)


def major(home: Home) -> str:
    """The version of PostgreSQL that has, or would make, the cluster."""
    said = subprocess.run(
        [postgresql.program(home, "pg_dump"), "--version"], capture_output=True, text=True, check=True
    ).stdout.split()
    return said[2].split(".")[0]


def _fill_bucket(stores: Stores, bucket: str, folder: Path) -> None:
    files = seaweedfs.files(stores.s3(bucket))
    for path in sorted(path for path in (folder / bucket).rglob("*") if path.is_file()):
        with path.open("rb") as content, files.open_output_stream(path.relative_to(folder).as_posix()) as target:
            shutil.copyfileobj(content, target, 1 << 20)


def _run(stores: Stores, database: str, program: str, *options: str) -> None:
    """Run one of PostgreSQL's programs; where the database is and what opens it stands in variables, for its eyes only.

    Raises:
        CliError: It failed.
    """
    url = make_url(stores.database(database))
    told = {
        "PGHOST": str(url.host),
        "PGPORT": str(url.port),
        "PGUSER": str(url.username),
        "PGDATABASE": database,
        "PGPASSFILE": str(url.query["passfile"]),
    }
    line = [postgresql.program(stores.home, program), "--no-password", *options]
    done = subprocess.run(line, env={**os.environ, **told}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CliError(f"{program} failed on the database {database!r}: {done.stderr.strip()}")
