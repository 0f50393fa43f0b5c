"""What a backup says of itself: when and where it was made, by which versions, and the digest of every file in it."""

from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final, Self

from packaging.version import Version
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from appraiser_cli.backup.errors import ArchiveError
from appraiser_cli.services.profile import Profile
from appraiser_store.migrating import HEAD

FORMAT: Final = 1
"""Of the file itself; raised where an older version could not restore what a newer one writes."""

LEDGER: Final = "ledger"
POSTGRESQL: Final = "postgresql"
_PACKAGES: Final = ("appraiser-store", "appraiser-model", "mlflow", "apache-airflow")
"""Those whose tables and files are in a backup: an older version cannot read what a newer one has written."""


def _version(text: str) -> str:
    """A text that can be compared as a version; one that cannot is an invalid value."""
    Version(text)
    return text


class Member(BaseModel):
    """One file of a backup.

    Attributes:
        size_bytes: How many bytes it has.
        sha256: Their SHA-256, hexadecimal.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """What a backup says of itself.

    Attributes:
        places: The state folder that it was made of, as it was named and without links; Iceberg and MLflow name their
            files by the whole path.
        versions: Of what has written the files, by name.
    """

    model_config = ConfigDict(frozen=True)

    format: int
    made_at: datetime
    profile: Profile
    places: Annotated[tuple[Annotated[str, Field(pattern="^/")], ...], Field(min_length=1)]
    versions: dict[str, Annotated[str, AfterValidator(_version)]]
    members: tuple[Member, ...]

    @property
    def size_bytes(self) -> int:
        """Of all files together, as they will lie on the disk."""
        return sum(member.size_bytes for member in self.members)

    @classmethod
    def read(cls, file: Path, text: bytes) -> Self:
        """Read what a backup says of itself.

        Raises:
            ArchiveError: It says nothing that this version understands.
        """
        try:
            _check_format(file, _Format.model_validate_json(text).format)
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise ArchiveError(
                file, f"has a manifest that cannot be read ({where}: {first['msg']})", "Take another backup."
            ) from error

    def check_fits(self, file: Path, installed: dict[str, str]) -> None:
        """See that nothing in it was written by a later version than the one that would read it.

        Args:
            file: The backup, for the error.
            installed: Versions by name; a name that is not in both is passed over.

        Raises:
            ArchiveError: Something was.
        """
        for name, made_by in self.versions.items():
            here = installed.get(name)
            if here is not None and Version(made_by) > Version(here):
                raise ArchiveError(
                    file,
                    f"was made with {name} {made_by}, and installed is {here}, which cannot read that",
                    "Restore it with the version of the code that made it, or a later one.",
                )


class _Format(BaseModel):
    """The part that every version understands."""

    format: int


def _check_format(file: Path, found: int) -> None:
    if found > FORMAT:
        raise ArchiveError(
            file,
            f"has format {found}, and this version knows {FORMAT} at most",
            "Restore it with the version of the code that made it, or a later one.",
        )


def installed() -> dict[str, str]:
    """Versions of what reads and writes the files of a state folder here."""
    return {name: version(name) for name in _PACKAGES} | {LEDGER: HEAD}
