"""Puts a backup back: all of it is checked, then written beside, then moved to where it belongs."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from appraiser_cli.backup import servers
from appraiser_cli.backup.archive import Archive
from appraiser_cli.backup.errors import OccupiedError, room
from appraiser_cli.backup.manifest import POSTGRESQL, Manifest, installed
from appraiser_cli.backup.own import check_own
from appraiser_cli.backup.relocating import relocate
from appraiser_cli.errors import CliError, RunningError, UsageError
from appraiser_cli.home import Home
from appraiser_cli.running import lock, records, source
from appraiser_cli.services.profile import Profile
from appraiser_cli.settings import Settings

DRAFT: Final = "restoring"
"""Folder in a state folder where a state lies until it is whole."""

_ROOM: Final = {Profile.EMBEDDED: 1, Profile.SERVICES: 3}
"""How many times the files need their room: servers are filled from them, and a dump is smaller than its database."""


def check(home: Home, file: Path, wanted: Profile | None = None) -> Manifest:
    """See whether a backup is whole and could be restored here; nothing is written.

    Raises:
        ArchiveError: It is damaged, or does not fit what is installed.
        UsageError: It is of another profile than the one wanted.
        CliError: A program is missing that it takes.
    """
    with Archive.open(file) as archive:
        _check_fits(home, archive, wanted)
        archive.verify()
        return archive.manifest


def restore(
    home: Home,
    settings: Settings,
    file: Path,
    say: Callable[[str], None],
    *,
    fresh: bool = False,
    wanted: Profile | None = None,
) -> Manifest:
    """Put a backup back.

    Args:
        home: State folder; without a state, unless `fresh`.
        settings: Whether stores are elsewhere.
        file: The backup.
        say: Told what is done.
        fresh: Whether a state that is there is moved to the archive of its folder.
        wanted: Profile that the backup has to have; None takes any.

    Raises:
        ArchiveError: The backup is damaged, or does not fit what is installed.
        OccupiedError: The folder holds a state.
        RunningError: The system runs there.
        UsageError: The backup is of another profile than the one wanted, or a store is elsewhere.
        CliError: The disk is full, or a server cannot be filled.
    """
    with Archive.open(file) as archive:
        manifest = archive.manifest
        _check_fits(home, archive, wanted)
        check_own(home, settings, manifest.profile)
        _check_free(home, fresh=fresh)
        say("compares every file with its digest")
        archive.verify()
        with _held(home), room(home.folder, "restore the backup"):
            _check_free(home, fresh=fresh)
            _check_room(home, manifest)
            with _draft(home) as draft:
                say("writes the files beside")
                archive.extract(draft.folder)
                _finish(home, settings, draft, manifest, say)
                if fresh and (moved := source.archive(home)):
                    say(f"the old state lies in {moved} now")
                _move(draft, home)
        return manifest


def _finish(home: Home, settings: Settings, draft: Home, manifest: Manifest, say: Callable[[str], None]) -> None:
    """Make a state of the files."""
    if draft.secrets.exists():
        draft.secrets.chmod(0o700)
    if manifest.profile is Profile.SERVICES:
        say("fills PostgreSQL and SeaweedFS")
        servers.fill(draft, settings, draft.folder)
    else:
        relocate(draft, manifest.places, home.folder.resolve())


def _check_fits(home: Home, archive: Archive, wanted: Profile | None) -> None:
    manifest = archive.manifest
    if wanted is not None and wanted is not manifest.profile:
        raise UsageError(
            f"the backup {str(archive.file)!r} was made with the profile {manifest.profile.value!r}, and nothing moves "
            f"it to {wanted.value!r}. Leave the option out."
        )
    here = installed()
    if manifest.profile is Profile.SERVICES:
        # What is in the folder now is no measure of what makes the new cluster.
        here[POSTGRESQL] = servers.major(Home(home.folder / DRAFT))
    manifest.check_fits(archive.file, here)


def _check_free(home: Home, *, fresh: bool) -> None:
    if home.state and not fresh:
        raise OccupiedError(home.folder)


def _check_room(home: Home, manifest: Manifest) -> None:
    needed, free = manifest.size_bytes * _ROOM[manifest.profile], shutil.disk_usage(home.folder).free
    if needed > free:
        raise CliError(
            f"the backup needs {needed / 1e6:,.0f} MB in {str(home.folder)!r}, and {free / 1e6:,.0f} MB are free. "
            "Nothing was restored. Make room, or choose a folder on another disk with --home DIR."
        )


@contextmanager
def _held(home: Home) -> Iterator[None]:
    """Keep `up` out; a folder that this made goes again where nothing was restored into it."""
    try:
        with lock.hold(home) as held:
            _check_still(home, held=held)
            yield
    except BaseException:
        if home.folder.exists() and [path.name for path in home.folder.iterdir()] == [home.run.name]:
            with suppress(OSError):
                shutil.rmtree(home.run)
                home.folder.rmdir()
        raise


def _check_still(home: Home, *, held: bool) -> None:
    if not held or any(entry.process() is not None for entry in records.load(home.run).values()):
        raise RunningError(home.folder, "a restore")


@contextmanager
def _draft(home: Home) -> Iterator[Home]:
    """A folder for a state that is not whole yet; nothing of it stays, also of one that was cut off earlier."""
    draft = Home(home.folder / DRAFT)
    shutil.rmtree(draft.folder, ignore_errors=True)
    try:
        draft.folder.mkdir()
        yield draft
    finally:
        shutil.rmtree(draft.folder, ignore_errors=True)


def _move(draft: Home, home: Home) -> None:
    """Move a state to where it belongs, or nothing of it."""
    # Logs of the servers that were filled are of no use to anybody.
    entries = [entry for entry in draft.state if entry != draft.logs]
    moved: list[Path] = []
    try:
        for entry in entries:
            target = home.folder / entry.name
            entry.rename(target)
            moved.append(target)
    except BaseException:
        for target in moved:
            target.rename(draft.folder / target.name)
        raise
