"""Which data is served, and what is refused."""

from pathlib import Path

import pytest

from appraiser_cli.errors import DataFileError, SourceError, UsageError
from appraiser_cli.home import Home
from appraiser_cli.running import lock, source
from appraiser_cli.settings import Settings
from appraiser_cli.up import Wish, run
from appraiser_schema import Batch, utc_now
from appraiser_store import Ledger


@pytest.fixture
def listings(tmp_path: Path) -> Path:
    """A data file; its content does not matter here."""
    path = tmp_path / "listings.csv"
    path.write_text("price\n1\n")
    return path


def ledger_url(home: Home) -> str:
    """The ledger in a state folder."""
    return f"sqlite:///{home.ledger}"


def remember_batch(home: Home, name: str) -> None:
    """Let the ledger know a batch of a source."""
    home.make()
    ledger = Ledger(ledger_url(home))
    ledger.save_batch(
        Batch(
            source=name,
            group_number=1,
            day="Tuesday",
            batch_number=0,
            digest="0" * 64,
            size_bytes=1,
            received_at=utc_now(),
            simulated=name == source.SIMULATOR,
            landing_path="x.json",
        )
    )
    ledger.close()


class TestCheckFile:
    """A data file is checked before anything starts."""

    def test_path_becomes_absolute(self, listings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A path relative to the caller's folder is made absolute before any service sees it."""
        monkeypatch.chdir(listings.parent)
        assert source.check_file(Path(listings.name)) == listings

    def test_missing_file_is_refused(self, tmp_path: Path) -> None:
        """A file that is not there is named."""
        with pytest.raises(DataFileError, match=r"nothing\.csv' does not exist"):
            source.check_file(tmp_path / "nothing.csv")

    def test_other_kind_is_refused(self, tmp_path: Path) -> None:
        """A file of another kind is refused with the kinds there are."""
        path = tmp_path / "listings.xlsx"
        path.write_text("x")
        with pytest.raises(DataFileError, match=r"none of the endings \.csv, .*\.json"):
            source.check_file(path)

    def test_empty_file_is_refused(self, tmp_path: Path) -> None:
        """An empty file is refused before anything starts."""
        path = tmp_path / "listings.csv"
        path.touch()
        with pytest.raises(DataFileError, match="is empty"):
            source.check_file(path)

    def test_folder_is_refused(self, tmp_path: Path) -> None:
        """A folder is no data file."""
        with pytest.raises(DataFileError, match="does not exist"):
            source.check_file(tmp_path)


class TestChoose:
    """One state, one source."""

    def test_new_state_takes_anything(self, home: Home, listings: Path) -> None:
        """A state without batches takes a file, or the simulator."""
        assert source.choose(home, listings, ledger_url(home)) == listings
        assert source.choose(home, None, ledger_url(home)) is None

    def test_file_is_remembered(self, home: Home, listings: Path) -> None:
        """A later start without --data goes on with the same file."""
        remember_batch(home, listings.name)
        source.remember(home, listings)
        assert source.choose(home, None, ledger_url(home)) == listings

    def test_other_source_is_refused(self, home: Home, listings: Path) -> None:
        """A file is refused where the ledger knows the simulator's batches, with what to do."""
        remember_batch(home, source.SIMULATOR)
        with pytest.raises(SourceError, match=r"'simulator'.*--fresh.*--home"):
            source.choose(home, listings, ledger_url(home))

    def test_simulator_is_refused_for_a_files_state(self, home: Home, listings: Path) -> None:
        """The simulator does not go on with a file's batches."""
        remember_batch(home, listings.name)
        with pytest.raises(SourceError, match=listings.name):
            source.choose(home, None, ledger_url(home))


class TestArchive:
    """`--fresh` moves the old state away."""

    def test_everything_is_moved_and_nothing_deleted(self, home: Home) -> None:
        """The old state lies whole in the archive, and the folder is as new."""
        remember_batch(home, "old.csv")
        (home.lake / "file").write_text("rows")
        moved = source.archive(home)
        assert moved is not None
        assert (moved / "lake" / "file").read_text() == "rows"
        assert Ledger(f"sqlite:///{moved}/ledger.db").batches()[0].source == "old.csv"
        assert not home.ledger.exists()

    def test_foreign_files_stay(self, home: Home) -> None:
        """What the system has not written itself is left where it lies."""
        remember_batch(home, "old.csv")
        (home.folder / "notes.txt").write_text("mine")
        source.archive(home)
        assert (home.folder / "notes.txt").read_text() == "mine"

    def test_external_ledger_is_refused(self, home: Home) -> None:
        """A ledger elsewhere would keep the old batches, so nothing is moved."""
        remember_batch(home, "old.csv")
        wish = Wish(data=None, batches=0, once=False, fresh=True, ports={})
        with pytest.raises(UsageError, match=r"APPRAISER_LEDGER_URL.*unset"):
            run(home, Settings(ledger_url=f"sqlite:///{home.folder}/elsewhere.db"), wish)
        assert home.ledger.exists()

    def test_second_archive_leaves_the_first(self, home: Home) -> None:
        """Archives do not move into each other."""
        home.make()
        first = source.archive(home)
        home.make()
        second = source.archive(home)
        assert first is not None
        assert second is not None
        assert first.is_dir()
        assert first != second

    def test_nothing_to_move(self, home: Home) -> None:
        """A folder that is not there has no old state."""
        assert source.archive(home) is None


class TestLock:
    """One `up` per state folder."""

    def test_second_holder_is_told(self, home: Home) -> None:
        """Only one `up` holds a state folder, and it is free afterwards."""
        with lock.hold(home) as first, lock.hold(home) as second:
            assert first
            assert not second
        with lock.hold(home) as third:
            assert third
