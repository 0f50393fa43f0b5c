"""An open lake, and a ledger on each database that this machine has."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError

from appraiser_store import Lake, Ledger


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """A new lake."""
    lake = Lake.open(tmp_path / "lake")
    yield lake
    lake.close()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Engine]:
    """A PostgreSQL server that lives as long as the tests; skipped where it or its driver is not installed."""
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
    installed = [str(folder) for folder in Path("/usr/lib/postgresql").glob("*/bin")]
    programs = os.pathsep.join([os.environ.get("PATH", ""), *installed])
    initdb, postgres = shutil.which("initdb", path=programs), shutil.which("postgres", path=programs)
    if not (initdb and postgres):
        pytest.skip("no PostgreSQL server on this machine; install the package postgresql")
    # The path of a socket must be short.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root.
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        quiet |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    settings = ["-U", "appraiser", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    subprocess.run([initdb, "-D", folder / "data", *settings], check=True, **quiet)
    settings = ["-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
    server = subprocess.Popen([postgres, "-D", folder / "data", *settings], **quiet)
    engine = create_engine(f"postgresql+psycopg://appraiser@/postgres?host={folder}", isolation_level="AUTOCOMMIT")
    try:
        wait_for(engine)
        yield engine
    finally:
        engine.dispose()
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)
        shutil.rmtree(folder)


def wait_for(engine: Engine, seconds: float = 120) -> None:
    """Return when a server answers; raise its last error when it does not in time."""
    until = time.monotonic() + seconds
    while True:
        try:
            with engine.connect():
                return
        except OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'var' / 'ledger.db'}"
    server: Engine = request.getfixturevalue("postgresql_server")
    name = f"ledger_{uuid.uuid4().hex}"
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return server.url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """An empty ledger."""
    ledger = Ledger(ledger_url)
    yield ledger
    ledger.close()
