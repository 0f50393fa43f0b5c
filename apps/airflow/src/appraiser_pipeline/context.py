"""What a step works with: settings, stores and the source, opened when first asked for."""

import subprocess
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from appraiser_pipeline.errors import OrderError
from appraiser_pipeline.settings import Settings
from appraiser_pipeline.source import Source
from appraiser_schema import Batch
from appraiser_store import Landing, Ledger

if TYPE_CHECKING:
    from appraiser_model import Registry
    from appraiser_store import Lake


class Context:
    """The stores and the source of one pipeline.

    Each opens late, with its library: a step that only writes a decision pays for no tables and no models.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def source(self) -> Source:
        """The listing API."""
        s = self.settings
        return Source(str(s.feed_url).rstrip("/"), s.feed_group, s.feed_day, s.feed_timeout)

    @cached_property
    def landing(self) -> Landing:
        """Bytes as received."""
        return Landing(self.settings.lake / "landing")

    @cached_property
    def lake(self) -> "Lake":
        """Tables of listings."""
        from appraiser_store import Lake, RemoteTables  # noqa: PLC0415

        s = self.settings
        if s.lake_catalog_url is None or s.lake_warehouse is None:
            return Lake.open(s.lake)
        keys = (s.s3_endpoint, s.s3_access_key_id, s.s3_secret_access_key.get_secret_value(), s.s3_region)
        return Lake.open(s.lake, RemoteTables(s.lake_catalog_url.get_secret_value(), s.lake_warehouse, *keys))

    @cached_property
    def ledger(self) -> Ledger:
        """What was received and decided."""
        return Ledger(self.settings.ledger_url)

    @cached_property
    def registry(self) -> "Registry":
        """Every model, and which one is the champion."""
        from appraiser_model import Registry  # noqa: PLC0415

        return Registry(self.settings.mlflow_tracking_uri)

    @cached_property
    def code_version(self) -> str:
        """Commit of this code, '-dirty' where it was changed since; 'unknown' where neither a setting nor git tells."""
        if self.settings.code_version:
            return self.settings.code_version
        try:
            # An installed copy that lies in somebody else's repository is no file of that repository.
            _git("ls-files", "--error-unmatch", Path(__file__).name)
            return _git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
        except (OSError, subprocess.SubprocessError):
            return "unknown"

    def batch(self, batch_number: int, step: str) -> Batch:
        """The batch that a step is about.

        Raises:
            OrderError: It was never landed.
        """
        batch = self.ledger.batch(batch_number)
        if batch is None:
            raise OrderError(step, batch_number, "landed batch", "fetch_batch")
        return batch

    def close(self) -> None:
        """Give back what was opened."""
        for name in ("source", "lake", "ledger"):
            if name in self.__dict__:
                getattr(self, name).close()


def _git(*words: str) -> str:
    command = ["git", "-C", str(Path(__file__).parent), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
