"""The file of API keys: the API reads it, this command writes it."""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from appraiser_cli.errors import NotThereError, UsageError
from appraiser_schema import ApiKey, KeyFile, Scope, hash_key, new_key, utc_now


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """The keys of a file; none where there is no file.

    Raises:
        UsageError: It holds something else.
    """
    try:
        return KeyFile.model_validate_json(path.read_bytes()).keys
    except FileNotFoundError:
        return ()
    except (OSError, ValidationError) as error:
        raise UsageError(
            f"{str(path)!r} holds no API keys ({error}). Name another file with APPRAISER_API_KEYS."
        ) from None


def create_key(path: Path, name: str, scopes: Sequence[Scope]) -> str:
    """Add a key to a file, which is made where there is none.

    Returns:
        The key. Nobody can find it out later: the file has its hash.

    Raises:
        UsageError: The name is taken, or cannot be one.
    """
    with _locked(path):
        return _create(path, name, scopes)


def _create(path: Path, name: str, scopes: Sequence[Scope]) -> str:
    keys = read_keys(path)
    if any(key.name == name for key in keys):
        raise UsageError(f"there is a key {name!r} already. Choose another name, or revoke that one first.")
    made = new_key()
    try:
        key = ApiKey(name=name, sha256=hash_key(made), scopes=tuple(dict.fromkeys(scopes)), created_at=utc_now())
    except ValidationError:
        raise UsageError(f"{name!r} is no name for a key: 1 to 64 letters, digits, '.', '_' or '-'.") from None
    _write(path, (*keys, key))
    return made


def revoke_key(path: Path, name: str) -> None:
    """Take a key out of a file; the API refuses it within two seconds.

    Raises:
        NotThereError: There is no such key.
    """
    with _locked(path):
        keys = read_keys(path)
        left = tuple(key for key in keys if key.name != name)
        if len(left) == len(keys):
            raise NotThereError(
                f"there is no key {name!r} in {str(path)!r}. './appraiser keys list' names those there are."
            )
        _write(path, left)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let nobody else change the file between reading and writing it: a key that was revoked would come back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(path: Path, keys: tuple[ApiKey, ...]) -> None:
    """Replace the file in one step, once the new one is on the disk; only the owner can read it."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(KeyFile(keys=keys).model_dump_json(indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
