"""The stores, the API and the page, started once for all tests of the page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.page_stand import build_stores, free_port, running_api


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of stores with two versions, the first in service."""
    folder = tmp_path_factory.mktemp("stores")
    build_stores(folder)
    return folder


@pytest.fixture(scope="session")
def api_url(stores: Path) -> Iterator[str]:
    """Address of the real API over these stores."""
    with running_api(stores, free_port()) as url:
        yield url
