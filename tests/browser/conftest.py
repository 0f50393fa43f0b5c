"""The stores, the API, the page and a browser, started once for all tests of the page."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from browser.page_stand import build_stores, free_port, running_api, running_page
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM: Final = Path("/usr/bin/chromium")
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS: Final = 60_000
"""A busy machine needs long for the first page; a wait ends as soon as there is what it waits for."""


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


@pytest.fixture(scope="session")
def page_url(api_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the real page over the real API."""
    with running_page(api_url, tmp_path_factory.mktemp("page"), free_port()) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; skipped where there is none, unless it is required.

    It ends with its module: as long as it lives, its event loop runs in the thread of all tests.
    """
    if not CHROMIUM.exists():
        message = f"no browser at {CHROMIUM}: install the package chromium"
        if os.environ.get("APPRAISER_REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty tab of a visitor who has never been here."""
    with browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US") as context:
        context.set_default_timeout(PATIENCE_MS)
        yield context.new_page()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Folder that keeps the pictures: APPRAISER_SCREENSHOTS, or one below `var/`, which git ignores."""
    default = Path(__file__).parents[2] / "var" / "screenshots"
    folder = Path(os.environ.get("APPRAISER_SCREENSHOTS") or default)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
