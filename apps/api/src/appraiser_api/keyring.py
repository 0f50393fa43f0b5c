"""The keys that the API takes, as the file has them now."""

import hmac
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from appraiser_api.errors import KeyMissingError, KeyScopeError, KeysFileError, KeyUnknownError
from appraiser_schema import ApiKey, KeyFile, Scope, hash_key

LOOK_SECONDS: Final = 1.0
"""How often the file is looked at: a key that was revoked is refused from then on."""

logger = structlog.get_logger("appraiser_api")

type _Mark = tuple[int, int, int]


class Keyring:
    """The keys of a file, read again when the file has changed.

    A file that cannot be read any more leaves the keys as they were, and the log says so: half a file would lock
    everybody out.

    Args:
        path: The file.
        clock: Monotonic. [s]

    Raises:
        KeysFileError: There is no such file, or it holds something else.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._mark = _mark(path)
        self._keys = _read(path)
        self._look_at = clock() + LOOK_SECONDS

    def check(self, presented: str | None, needed: Scope) -> str:
        """Find out who asks, and whether they may.

        All keys are compared, each in constant time: the time tells nothing of which one was close.

        Args:
            presented: The key as it was sent; None where none was.
            needed: What is asked for.

        Returns:
            Name of the key.

        Raises:
            KeyMissingError: None was sent.
            KeyUnknownError: It is none of ours.
            KeyScopeError: It is, but may not do this.
        """
        self._refresh()
        if presented is None:
            raise KeyMissingError
        digest = hash_key(presented)
        found: ApiKey | None = None
        for key in self._keys:
            if hmac.compare_digest(key.sha256, digest):
                found = key
        if found is None:
            raise KeyUnknownError
        if needed not in found.scopes:
            raise KeyScopeError(found.name, needed)
        return found.name

    def _refresh(self) -> None:
        now = self._clock()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        try:
            mark = _mark(self._path)
            if mark == self._mark:
                return
            self._keys = _read(self._path)
            self._mark = mark
            logger.info("keys_read", keys=len(self._keys))
        except KeysFileError as error:
            logger.error("keys_unreadable", error=str(error))  # noqa: TRY400 - the sentence says it all


def _mark(path: Path) -> _Mark:
    try:
        found = path.stat()
    except OSError as error:
        raise KeysFileError(path, error.strerror or str(error)) from error
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> tuple[ApiKey, ...]:
    try:
        return KeyFile.model_validate_json(path.read_bytes()).keys
    except OSError as error:
        raise KeysFileError(path, error.strerror or str(error)) from error
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "the file"
        raise KeysFileError(path, f"{where}: {fault['msg']}") from None
