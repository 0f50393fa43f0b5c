"""`appraiser backup` and `restore`: what is refused, and that nothing half-written stays."""

import hashlib
import json
import os
import resource
import shutil
import sqlite3
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from appraiser_cli.backup.taking import take
from appraiser_cli.errors import UsageError
from appraiser_cli.home import Home
from appraiser_cli.running import lock
from appraiser_cli.settings import Settings
from appraiser_store import Ledger
from appraiser_store.lock import STEPS, exclusive

type Appraiser = Callable[..., Result]

WORDS = b"a password" * 1000


@pytest.fixture
def state(home: Home) -> Home:
    """A small state: a ledger, runs of Airflow, something received, a position, and keys."""
    Ledger(f"sqlite:///{home.ledger}").close()
    home.airflow.mkdir()
    with closing(sqlite3.connect(home.airflow / "airflow.db")) as connection, connection:
        connection.execute("CREATE TABLE dag_run AS SELECT 'manual' AS run_id")
    stream = home.predictions / "1-single"
    stream.mkdir(parents=True)
    for name in ("00000001.log", "lock", "position", "position.new"):
        (stream / name).write_bytes(WORDS)
    for path in (home.lake / "landing" / "a.json", home.keys, home.secrets / "deeper" / "key"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(WORDS)
    return home


@pytest.fixture
def archive(state: Home, appraiser: Appraiser, tmp_path: Path) -> Path:
    """A backup of it."""
    file = tmp_path / "backup.zip"
    done = appraiser("backup", str(file), "--home", str(state.folder))
    assert done.exit_code == 0, done.output
    return file


def contents(file: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Files of an archive by name, and its manifest."""
    with zipfile.ZipFile(file) as found:
        files = {name: found.read(name) for name in found.namelist()}
    return files, json.loads(files.pop("manifest.json"))


def put_together(file: Path, files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    """Write an archive by hand."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
        target.writestr("manifest.json", json.dumps(manifest))


def with_file(name: str) -> Callable[[Path], None]:
    """Add a file that the manifest knows, under a name of our choice."""

    def change(file: Path) -> None:
        files, manifest = contents(file)
        member = {"name": name, "size_bytes": 4, "sha256": hashlib.sha256(b"evil").hexdigest()}
        put_together(file, files | {name: b"evil"}, manifest | {"members": [*manifest["members"], member]})

    return change


def with_fields(**fields: Any) -> Callable[[Path], None]:
    """Let the manifest say something else."""

    def change(file: Path) -> None:
        files, manifest = contents(file)
        versions = manifest["versions"] | fields.get("versions", {})
        put_together(file, files, manifest | fields | {"versions": versions})

    return change


def cut_off(file: Path) -> None:
    """Lose the end of the file."""
    os.truncate(file, file.stat().st_size // 2)


def turn_a_byte(file: Path) -> None:
    """Change a byte in the middle of what was received."""
    with zipfile.ZipFile(file) as found:
        info = found.getinfo("lake/landing/a.json")
    content = bytearray(file.read_bytes())
    content[info.header_offset + 30 + len(info.filename) + info.compress_size // 2] ^= 0xFF
    file.write_bytes(content)


def exchange(file: Path) -> None:
    """Put another content in the place of a file, whole in itself."""
    files, manifest = contents(file)
    put_together(file, files | {"lake/landing/a.json": b"another"}, manifest)


def grow(file: Path) -> None:
    """Let a file be far longer than it says."""
    files, manifest = contents(file)
    put_together(file, files | {"lake/landing/a.json": WORDS * 1000}, manifest)


def smuggle(file: Path) -> None:
    """Add a file that the manifest does not know."""
    with zipfile.ZipFile(file, "a") as target:
        target.writestr("lake/landing/b.json", b"evil")


def lose(file: Path) -> None:
    """Lose a file that the manifest knows."""
    files, manifest = contents(file)
    del files["ledger.db"]
    put_together(file, files, manifest)


def lose_manifest(file: Path) -> None:
    """Lose the manifest."""
    files, _ = contents(file)
    with zipfile.ZipFile(file, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)


def write_text(file: Path) -> None:
    """Be no archive at all."""
    file.write_text("no archive")


class TestBackup:
    """What is written, and who can read it."""

    def test_private(self, archive: Path) -> None:
        """The file holds passwords, and is its owner's alone."""
        assert stat.S_IMODE(archive.stat().st_mode) == 0o600
        files, manifest = contents(archive)
        assert {member["name"] for member in manifest["members"]} == set(files)
        notes = {"lake/landing/a.json", "api/keys.json", "secrets/deeper/key"}
        log = {f"api/predictions/1-single/{name}" for name in ("00000001.log", "position")}
        assert set(files) == {"ledger.db", "airflow/airflow.db"} | notes | log

    def test_no_overwriting(self, state: Home, archive: Path, appraiser: Appraiser) -> None:
        """A file that is there stays."""
        before = archive.read_bytes()
        done = appraiser("backup", str(archive), "--home", str(state.folder))
        assert done.exit_code == 1
        assert "there is a file of that name already" in str(done.exception)
        assert archive.read_bytes() == before

    def test_nothing_there(self, home: Home, appraiser: Appraiser, tmp_path: Path) -> None:
        """A folder without a state is named, and no folder is made."""
        done = appraiser("backup", str(tmp_path / "b.zip"), "--home", str(home.folder))
        assert "there is no state in" in str(done.exception)
        assert not home.folder.exists()

    def test_elsewhere(
        self, state: Home, appraiser: Appraiser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A ledger that is elsewhere is not left out in silence."""
        monkeypatch.setenv("APPRAISER_LEDGER_URL", f"sqlite:///{tmp_path}/other.db")
        done = appraiser("backup", str(tmp_path / "b.zip"), "--home", str(state.folder))
        assert isinstance(done.exception, UsageError)
        assert "APPRAISER_LEDGER_URL names a store" in str(done.exception)

    def test_full_disk(
        self, state: Home, appraiser: Appraiser, tmp_path: Path, small_files: Callable[[], None]
    ) -> None:
        """A full disk is told, and no half of a backup stays."""
        small_files()
        done = appraiser("backup", str(tmp_path / "b.zip"), "--home", str(state.folder))
        assert done.exit_code == 1
        assert "left" in str(done.exception) or "could not be written" in str(done.exception)
        assert sorted(path.name for path in tmp_path.iterdir()) == [state.folder.name]

    def test_between_steps(self, state: Home, tmp_path: Path) -> None:
        """It waits for the step that runs, and holds the next one up."""
        file = tmp_path / "b.zip"
        with exclusive(state.lake / STEPS):
            waiting = threading.Thread(target=take, args=(state, Settings(), file, lambda _: None))
            waiting.start()
            waiting.join(timeout=1)
            assert waiting.is_alive()
            assert not file.exists()
        waiting.join(timeout=60)
        assert file.exists()

    def test_one_moment(self, state: Home, appraiser: Appraiser, tmp_path: Path) -> None:
        """What is being written to the ledger, and is not committed, is not in it."""
        file = tmp_path / "b.zip"
        with closing(sqlite3.connect(state.ledger, isolation_level=None)) as writer:
            writer.execute("CREATE TABLE t (n)")
            writer.execute("BEGIN IMMEDIATE")
            writer.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(1000)])
            assert appraiser("backup", str(file), "--home", str(state.folder)).exit_code == 0
            writer.execute("COMMIT")
        other = tmp_path / "other"
        assert appraiser("restore", str(file), "--home", str(other)).exit_code == 0
        with closing(sqlite3.connect(other / "ledger.db")) as copy:
            assert copy.execute("SELECT count(*) FROM t").fetchone() == (0,)
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def small_files() -> Iterator[Callable[[], None]]:
    """Lets no file become longer than a page, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


class TestRestore:
    """What is put back, and what is refused."""

    def test_same(self, state: Home, archive: Path, appraiser: Appraiser, tmp_path: Path) -> None:
        """Every file is there again, and what opens something is its owner's alone."""
        new = Home(tmp_path / "new")
        assert appraiser("restore", str(archive), "--home", str(new.folder)).exit_code == 0
        for path in (state.lake / "landing" / "a.json", state.keys, state.secrets / "deeper" / "key"):
            assert (new.folder / path.relative_to(state.folder)).read_bytes() == WORDS
        with closing(sqlite3.connect(new.airflow / "airflow.db")) as runs:
            assert runs.execute("SELECT * FROM dag_run").fetchall() == [("manual",)]
        assert stat.S_IMODE(new.secrets.stat().st_mode) == 0o700
        assert stat.S_IMODE(new.keys.stat().st_mode) == 0o600
        assert not (new.folder / "restoring").exists()

    def test_occupied(self, state: Home, archive: Path, appraiser: Appraiser) -> None:
        """A state is not overwritten; `--fresh` moves it away first."""
        (state.folder / "mine.txt").write_text("a foreign file")
        done = appraiser("restore", str(archive), "--home", str(state.folder))
        assert done.exit_code == 1
        assert "--home NEW" in str(done.exception)
        assert "--fresh" in str(done.exception)
        state.keys.write_text("of before")
        assert appraiser("restore", str(archive), "--home", str(state.folder), "--fresh").exit_code == 0
        assert state.keys.read_bytes() == WORDS
        assert [path.read_text() for path in state.archive.rglob("keys.json")] == ["of before"]
        assert (state.folder / "mine.txt").exists()

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (cut_off, "was cut off"),
            (turn_a_byte, "is damaged in 'lake/landing/a.json'"),
            (exchange, "is damaged: 'lake/landing/a.json' has 7 bytes"),
            (grow, "is damaged: 'lake/landing/a.json'"),
            (smuggle, "do not agree about 'lake/landing/b.json'"),
            (lose, "do not agree about 'ledger.db'"),
            (lose_manifest, "has no manifest"),
            (write_text, "is no backup"),
            (Path.unlink, "does not exist"),
            (with_file("../evil"), "'../evil', which leads out of a state folder"),
            (with_file("/tmp/evil"), "'/tmp/evil', which leads out"),  # noqa: S108 - never written
            (with_file("lake/../../evil"), "leads out"),
            (with_file("lake//evil"), "no plain path"),
            (with_file("run/up.lock"), "belongs to none of"),
            (with_fields(format=2, members="in another form"), "has format 2, and this version knows 1"),
            (with_fields(versions={"mlflow": "99.0"}), "was made with mlflow 99.0, and installed is"),
            (with_fields(versions={"ledger": "9999"}), "was made with ledger 9999"),
            (with_fields(versions={"mlflow": "newest"}), "manifest that cannot be read (versions.mlflow"),
            (with_fields(places=["somewhere"]), "manifest that cannot be read (places.0"),
            (with_fields(places=[]), "manifest that cannot be read (places"),
            (with_fields(profile="cloud"), "manifest that cannot be read (profile"),
        ],
    )
    def test_refused(
        self, archive: Path, appraiser: Appraiser, tmp_path: Path, change: Callable[[Path], None], told: str
    ) -> None:
        """What is damaged, hostile or too new is refused in words, and nothing at all is written."""
        change(archive)
        before = sorted(path.name for path in tmp_path.iterdir())
        for options in ([], ["--check"]):
            done = appraiser("restore", str(archive), "--home", str(tmp_path / "new"), *options)
            assert done.exit_code == 1
            assert told in str(done.exception)
            assert "Nothing was restored" in str(done.exception)
        assert sorted(path.name for path in tmp_path.iterdir()) == before

    def test_profile(self, archive: Path, appraiser: Appraiser, tmp_path: Path) -> None:
        """A backup of the other profile than the one named is refused."""
        done = appraiser("restore", str(archive), "--home", str(tmp_path / "new"), "--profile", "services")
        assert isinstance(done.exception, UsageError)
        assert "was made with the profile 'embedded'" in str(done.exception)

    def test_running(self, home: Home, archive: Path, appraiser: Appraiser) -> None:
        """Nothing is restored below a system that runs."""
        with lock.hold(home):
            done = appraiser("restore", str(archive), "--home", str(home.folder), "--fresh")
        assert "needs it stopped" in str(done.exception)
        assert home.ledger.exists()

    def test_no_room(
        self, archive: Path, appraiser: Appraiser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where the disk is too small, it is said how much is missing, before anything is written."""
        monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
        done = appraiser("restore", str(archive), "--home", str(tmp_path / "new"))
        assert "0 MB are free" in str(done.exception)
        assert not (tmp_path / "new").exists()

    def test_full_disk(
        self, archive: Path, appraiser: Appraiser, tmp_path: Path, small_files: Callable[[], None]
    ) -> None:
        """A disk that fills meanwhile is told, and nothing half-written stays."""
        small_files()
        done = appraiser("restore", str(archive), "--home", str(tmp_path / "new"))
        assert done.exit_code == 1
        assert "there is no room left" in str(done.exception)
        assert not (tmp_path / "new").exists()
