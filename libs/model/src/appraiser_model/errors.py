"""Errors of this library.

ModelError
├── TrainingError           nothing can be trained on the rows given
├── SearchError             the search of parameters cannot go on
├── ListingsError           the rows to appraise are no listings
├── KeptListingsError       the file of the listings that a model has learned from cannot be read
├── MoveRefusedError        a version did not pass its trial, so that it is not put in production
├── NoChampionBeforeError   no champion came before the present one
├── BundleError             the folder is no intact model bundle
│   ├── BundleExistsError   another bundle stands where this one is to be saved
│   ├── DigestError         the files are not those that were saved, or not those that were asked for
│   └── BundleMismatchError the bundle is intact, but this version of the code must not use it
└── RegistryError           the model registry did not do what it was asked
    ├── RegistryUnreachableError  it does not answer
    ├── CardMismatchError         the card of a version was written by another version of the code
    └── UnknownVersionError       it has no such version
"""

from pathlib import Path
from urllib.parse import urlsplit


class ModelError(Exception):
    """Base of every error that this library raises."""


class TrainingError(ModelError):
    """Nothing can be trained on the rows given."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"no model can be trained: {problem}.")


class SearchError(ModelError):
    """The search of parameters cannot go on.

    Attributes:
        name: Name of the search.
    """

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        super().__init__(f"the search {name!r} cannot go on: {problem}. Give it another name, or another file.")


class ListingsError(ModelError):
    """The rows to appraise are no listings.

    Attributes:
        problems: One sentence per broken rule.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        super().__init__(f"these rows cannot be appraised: {'; '.join(problems[:5])}{more}. Correct or drop them.")


class KeptListingsError(ModelError):
    """The file of the listings that a model has learned from cannot be read."""

    def __init__(self, file: Path, problem: str) -> None:
        self.file = file
        super().__init__(f"{file} holds no listings that were kept with a model: {problem}. Fetch it again.")


class MoveRefusedError(ModelError):
    """A version did not pass its trial, so that it is not put in production; nothing moved.

    Attributes:
        version: Which.
        problem: Why.
        can_be_forced: Whether it can be put in production all the same.
    """

    def __init__(self, version: int, problem: str, *, can_be_forced: bool = False) -> None:
        self.version, self.problem, self.can_be_forced = version, problem, can_be_forced
        super().__init__(f"version {version} is refused: {problem.rstrip('.')}. Nothing moved.")


class NoChampionBeforeError(ModelError):
    """No champion came before the present one."""

    def __init__(self) -> None:
        super().__init__("no champion came before the present one. Name a version.")


class BundleError(ModelError):
    """A folder is no intact model bundle.

    Attributes:
        folder: Where it lies.
        problem: What is wrong with it.
    """

    def __init__(self, folder: Path, problem: str, advice: str = "") -> None:
        self.folder, self.problem = folder, problem
        advice = advice or "Download the model from the registry again, or train a new one."
        super().__init__(f"{str(folder)!r} is not a usable model bundle: {problem}. {advice}")


class BundleExistsError(BundleError):
    """Another bundle, or something else, stands where this one is to be saved."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "the folder exists already and holds something else", "Save to a new folder.")


class DigestError(BundleError):
    """The files are not those that were saved, or not those that were asked for.

    Attributes:
        name: The file that differs, or 'bundle' where the bundle as a whole is another one.
        expected: SHA-256 that it should have, hexadecimal.
        found: SHA-256 that it has.
    """

    def __init__(self, folder: Path, name: str, expected: str, found: str) -> None:
        self.name, self.expected, self.found = name, expected, found
        super().__init__(folder, f"the digest of {name!r} is {found[:12]!r} where {expected[:12]!r} was expected")


class BundleMismatchError(BundleError):
    """A bundle is intact, but was made by or for another version of the code."""


class RegistryError(ModelError):
    """The model registry did not do what it was asked.

    Attributes:
        uri: The registry that was asked, without user and password, which the message does not repeat either.
    """

    def __init__(self, uri: str, problem: str) -> None:
        user, at, _ = urlsplit(uri).netloc.rpartition("@")
        self.uri = uri.replace(user + at, "")
        super().__init__(f"the model registry at {uri!r}: {problem}".replace(user + at, ""))


class RegistryUnreachableError(RegistryError):
    """The model registry does not answer."""

    def __init__(self, uri: str, problem: str) -> None:
        super().__init__(uri, f"it does not answer ({problem}). Start it, or set MLFLOW_TRACKING_URI to one that runs.")


class CardMismatchError(RegistryError):
    """The card of a version was written by another version of the code, so its model too can be used no more."""


class UnknownVersionError(RegistryError):
    """The model registry has no such version.

    Attributes:
        version: The version that was asked for.
    """

    def __init__(self, uri: str, name: str, version: int) -> None:
        self.version = version
        super().__init__(uri, f"there is no version {version!r} of {name!r}. List the versions that there are.")
