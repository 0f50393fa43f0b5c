"""A folder for real servers, and the order of what is tried on one running system: last comes what ends it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from appraiser_cli.errors import CliError
from appraiser_cli.home import Home
from appraiser_cli.services import postgresql, seaweedfs

LAST: Final = ("test_end_and_start", "test_destroyed")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever order was drawn, the system is ended when nothing else needs it, and destroyed after that."""
    files = {path: place for place, path in enumerate(dict.fromkeys(item.path for item in items))}
    items.sort(key=lambda item: (files[item.path], LAST.index(item.name) if item.name in LAST else -1))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user may pass through, too; skipped where a program is missing."""
    found = Path(tempfile.mkdtemp(prefix="services-", dir="/tmp"))
    found.chmod(0o755)
    try:
        try:
            postgresql.program(Home(found), "initdb")
            seaweedfs.program()
        except CliError as error:
            (pytest.fail if os.environ.get("APPRAISER_REQUIRE_SERVICES") else pytest.skip)(str(error))
        yield found
    finally:
        shutil.rmtree(found)
