"""The last good models on disk: one of them serves from the first second after a start, registry or no registry."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog
from pydantic import Field, ValidationError

from appraiser_schema import ModelVersion, Record

POINTER: Final = "champion.json"
KEPT_MODELS: Final = 2
"""The one that serves and the one before it, for a rollback without a download."""

logger = structlog.get_logger("appraiser_api")


class Pointer(Record):
    """Which of the cached models served last."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    facts: ModelVersion


class ModelCache:
    """A folder of model bundles, each named for its digest, and a small file that points to the last good one."""

    def __init__(self, root: Path) -> None:
        """Nothing is written before the first model is kept.

        Args:
            root: The folder.
        """
        self.root = root

    def last_good(self) -> Pointer | None:
        """The model that served last; None where there is none or the pointer cannot be read."""
        try:
            return Pointer.model_validate_json((self.root / POINTER).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            logger.warning("cache_pointer_unreadable", error=str(error))
            return None

    def point_to(self, pointer: Pointer) -> None:
        """Make a model the last good one, in one atomic step, and delete those that nobody will ask for."""
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self.root, prefix=f".{POINTER}-", delete=False) as file:
            try:
                file.write(pointer.model_dump_json(indent=2))
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(self.root / POINTER)
            except OSError:
                Path(file.name).unlink(missing_ok=True)
                raise
        try:
            self._prune(pointer.digest)
        except OSError as error:
            # The model is there and can serve; what is left over is deleted the next time.
            logger.warning("cache_not_pruned", error=str(error))

    def _prune(self, digest: str) -> None:
        """Delete all but the newest; other workers do so at the same moment."""
        with suppress(FileNotFoundError):
            os.utime(self.root / digest)
        models: list[tuple[int, Path]] = []
        for path in self.root.iterdir():
            with suppress(FileNotFoundError):
                if path.is_dir() and not path.name.startswith("."):
                    models.append((path.stat().st_mtime_ns, path))
        for _, path in sorted(models, reverse=True)[KEPT_MODELS:]:
            shutil.rmtree(path, ignore_errors=True)
