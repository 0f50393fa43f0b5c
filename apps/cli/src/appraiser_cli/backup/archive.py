"""The file of a backup: a ZIP archive that ends with its manifest, readable by its owner only."""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Self

from appraiser_cli.backup.errors import ArchiveError, BackupError
from appraiser_cli.backup.manifest import FORMAT, Manifest, Member
from appraiser_cli.services.profile import Profile

MANIFEST: Final = "manifest.json"

TOPS: Final = (
    *("airflow", "api", "buckets", "databases", "lake", "ledger.db"),
    *("mlflow", "profile", "secrets", "source.json"),
)
"""What the names of files begin with; nothing else is ever written to a state folder."""

_SECRET: Final = ("airflow", "api", "secrets")
"""What only the owner may read once it is restored."""

_PACKED: Final = (".parquet", ".dump", ".png")
"""Kinds of files that deflate would only be slow about."""

_LEVEL: Final = 1
"""Of deflate: the others take three times as long for a tenth less."""

_CHUNK: Final = 1 << 20
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
_CURE: Final = "Take another backup."


class Writer:
    """Adds files to an archive; open one with `written`.

    Attributes:
        file: What it will be called.
    """

    def __init__(self, file: Path, archive: zipfile.ZipFile) -> None:
        self.file = file
        self._archive = archive
        self._members: list[Member] = []

    def add(self, name: str, content: BinaryIO) -> None:
        """Add a file.

        Args:
            name: Its path below the state folder, or below `databases/` and `buckets/`.
            content: Read to its end.

        Raises:
            BackupError: No file of that name could be restored.
        """
        if problem := _problem(name):
            raise BackupError(self.file, f"a file is called {name!r}, which {problem}")
        info = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
        info.external_attr = 0o600 << 16
        info.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
        digest, size = hashlib.sha256(), 0
        with self._archive.open(info, "w", force_zip64=True) as target:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
                size += target.write(chunk)
        self._members.append(Member(name=name, size_bytes=size, sha256=digest.hexdigest()))

    def finish(self, profile: Profile, places: tuple[str, ...], versions: dict[str, str]) -> Manifest:
        """Write the manifest, which makes a backup of it."""
        manifest = Manifest(
            format=FORMAT,
            made_at=datetime.now(UTC),
            profile=profile,
            places=places,
            versions=versions,
            members=tuple(self._members),
        )
        self._archive.writestr(MANIFEST, manifest.model_dump_json(indent=2))
        return manifest


@contextmanager
def written(file: Path) -> Iterator[Writer]:
    """Write an archive; it appears under its name once all of it is on the disk, or not at all.

    Raises:
        BackupError: There is a file of that name, or none can be made there.
    """
    draft = file.with_name(f".{file.name}.unfinished")
    if file.exists():
        raise BackupError(file, "there is a file of that name already; choose another one")
    try:
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BackupError(file, f"{error.strerror or error}; check the folder and its rights") from error
    try:
        with os.fdopen(handle, "w+b") as content:
            with zipfile.ZipFile(content, "w", compresslevel=_LEVEL) as archive:
                yield Writer(file, archive)
            content.flush()
            os.fsync(content.fileno())
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)


class Archive:
    """A backup that is read; open one with `Archive.open`.

    Attributes:
        file: Where it lies.
        manifest: What it says of itself.
    """

    def __init__(self, file: Path, archive: zipfile.ZipFile) -> None:
        self.file = file
        self._archive = archive
        try:
            text = archive.read(MANIFEST)
        except KeyError:
            raise ArchiveError(file, "has no manifest, so that it is none of ours", "Name another file.") from None
        except _DAMAGE as error:
            raise ArchiveError(file, f"is damaged in its manifest ({error})", _CURE) from error
        self.manifest = Manifest.read(file, text)
        self._check_names()

    @classmethod
    @contextmanager
    def open(cls, file: Path) -> Iterator[Self]:
        """Open a backup and look at its manifest and the names in it.

        Raises:
            ArchiveError: It is none, or one that must not be restored.
        """
        try:
            archive = zipfile.ZipFile(file)
        except FileNotFoundError:
            raise ArchiveError(file, "does not exist", "Check its path.") from None
        except (OSError, *_DAMAGE) as error:
            raise ArchiveError(file, f"is no backup, or was cut off ({error})", "Name another file.") from error
        with archive:
            yield cls(file, archive)

    def verify(self) -> None:
        """Compare every file with its digest; nothing is written.

        Raises:
            ArchiveError: One is another, or cannot be read.
        """
        for member in self.manifest.members:
            self._copy(member, None)

    def extract(self, folder: Path) -> None:
        """Write every file below a folder, each compared with its digest once more.

        Raises:
            ArchiveError: One is another now.
        """
        for member in self.manifest.members:
            target = folder / member.name
            secret = PurePosixPath(member.name).parts[0] in _SECRET
            target.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o666)
            with os.fdopen(handle, "wb") as content:
                self._copy(member, content)

    def _copy(self, member: Member, target: BinaryIO | None) -> None:
        digest, size = hashlib.sha256(), 0
        try:
            with self._archive.open(member.name) as content:
                # What is longer than it says is not read to its end.
                while size <= member.size_bytes and (chunk := content.read(_CHUNK)):
                    digest.update(chunk)
                    size += len(chunk)
                    if target is not None:
                        target.write(chunk)
        except _DAMAGE as error:
            raise ArchiveError(self.file, f"is damaged in {member.name!r} ({error})", _CURE) from error
        if size != member.size_bytes or digest.hexdigest() != member.sha256:
            raise ArchiveError(
                self.file,
                f"is damaged: {member.name!r} has {size:,} bytes with digest {digest.hexdigest()[:12]}, and its "
                f"manifest says {member.size_bytes:,} with {member.sha256[:12]}",
                _CURE,
            )

    def _check_names(self) -> None:
        named = sorted(member.name for member in self.manifest.members)
        for name in named:
            if problem := _problem(name):
                raise ArchiveError(self.file, f"has a file called {name!r}, which {problem}", _CURE)
        there = sorted(name for name in self._archive.namelist() if name != MANIFEST)
        if named != there:
            odd = sorted(set(named) ^ set(there)) or [name for name in there if there.count(name) > 1]
            raise ArchiveError(self.file, f"and its manifest do not agree about {odd[0]!r}", _CURE)


def _problem(name: str) -> str:
    """Why no file of this name is written below a state folder; empty where it is fine."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or str(path) != name:
        return "leads out of a state folder or is no plain path"
    if path.parts[0] not in TOPS:
        return f"belongs to none of {', '.join(TOPS)}"
    return ""
