"""The pages in a real browser, over the real API."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import httpx
import pytest
from browser.page_stand import free_port, running_api, running_page
from playwright.sync_api import Browser, Page, expect, sync_playwright

from appraiser_schema import Explanation, example_listing
from appraiser_ui.figures import money

pytestmark = pytest.mark.browser

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
WATERFALL: Final = ".st-key-waterfall svg.marks"
PATIENCE_MS: Final = 60_000
"""A busy machine needs long for the first page; a wait ends as soon as there is what it waits for."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; skipped where there is none, unless it is required.

    It ends with this module: as long as it lives, its event loop runs in the thread of all tests.
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


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder that keeps the pictures: APPRAISER_SCREENSHOTS, or a temporary one."""
    folder = Path(os.environ.get("APPRAISER_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def page_url(api_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the real page over the real API."""
    with running_page(api_url, tmp_path_factory.mktemp("page"), free_port()) as url:
        yield url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty tab."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(PATIENCE_MS)
        yield context.new_page()


def see(page: Page, text: str) -> None:
    """Wait until a text can be seen."""
    expect(page.get_by_text(text).filter(visible=True).first).to_be_visible(timeout=PATIENCE_MS)


def appraise(page: Page, url: str) -> None:
    """Open the first page and press Appraise."""
    page.goto(url)
    page.get_by_role("button", name="Appraise", exact=True).click()
    see(page, "Why this price")
    expect(page.locator(WATERFALL)).to_be_visible(timeout=PATIENCE_MS)


def picture(page: Page, file: Path) -> None:
    """Keep a picture of the whole page, however long it is."""
    size = page.viewport_size
    assert size
    height = page.get_by_test_id("stMain").evaluate("main => main.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": height + 40})
    page.wait_for_timeout(1000)
    page.screenshot(path=file)
    page.set_viewport_size(size)


class TestAppraise:
    """A visitor appraises a house."""

    def test_full_appraisal(self, page: Page, page_url: str, api_url: str) -> None:
        """Changed state and size reach the model, and price, range and reasons come back."""
        appraise(page, page_url)
        state = page.get_by_role("combobox", name="State", exact=True)
        state.click()
        state.fill("Texas")
        page.get_by_role("option", name="Texas", exact=True).click()
        for label, value in (("City", "Houston"), ("Zip code", "77005"), ("Living area (sqft)", "2500")):
            field = page.get_by_label(label, exact=True)
            field.fill(value)
            field.press("Tab")
        page.get_by_role("button", name="Appraise", exact=True).click()

        listing = example_listing() | {"state": "Texas", "city": "Houston", "zip_code": "77005", "house_size": 2500.0}
        body = httpx.post(f"{api_url}/explain", json=listing, trust_env=False).content
        answer = Explanation.model_validate_json(body)
        price = page.get_by_test_id("stMetricValue")
        expect(price).to_have_text(money(answer.appraisal.price_usd), timeout=PATIENCE_MS)
        assert answer.appraisal.interval is not None
        see(page, f"Between {money(answer.appraisal.interval.lower_usd)}")
        see(page, "Trained on simulated listings")
        chart = page.locator(WATERFALL)
        expect(chart).to_contain_text("Living area: 2,500 sqft", timeout=PATIENCE_MS)
        expect(chart).to_contain_text(money(answer.appraisal.price_usd))

    def test_unknown_is_an_empty_field(self, page: Page, page_url: str) -> None:
        """A field is emptied with its own button, and the answer treats it as unknown."""
        page.goto(page_url)
        page.get_by_label("Bedrooms", exact=True).fill("")
        page.get_by_label("Bedrooms", exact=True).press("Tab")
        page.get_by_role("button", name="Appraise", exact=True).click()
        expect(page.locator(WATERFALL)).to_contain_text("Bedrooms: unknown", timeout=PATIENCE_MS)

    def test_form_is_kept(self, page: Page, page_url: str) -> None:
        """What was filled in and what was answered are still there after a look at the other page."""
        page.goto(page_url)
        page.get_by_label("Living area (sqft)", exact=True).fill("2000")
        page.get_by_label("Living area (sqft)", exact=True).press("Tab")
        page.get_by_role("button", name="Appraise", exact=True).click()
        see(page, "Why this price")
        page.get_by_role("link", name="Models").click()
        see(page, "Look at")
        page.get_by_role("link", name="Appraise").click()
        see(page, "Why this price")
        expect(page.get_by_label("Living area (sqft)", exact=True)).to_have_value("2000")


class TestModels:
    """A visitor looks at the models."""

    def test_versions(self, page: Page, page_url: str) -> None:
        """The page opens at the newest version and says why it was rejected; a link leads to another version."""
        page.goto(f"{page_url}/models")
        see(page, "Mean error")
        expect(page.get_by_role("heading", name="Version 2")).to_be_visible(timeout=PATIENCE_MS)
        see(page, "it must be 3.0% smaller")
        page.goto(f"{page_url}/models?version=Version+1")
        expect(page.get_by_role("heading", name="Version 1")).to_be_visible(timeout=PATIENCE_MS)
        see(page, "In service")

    def test_card(self, page: Page, page_url: str) -> None:
        """The card of a version is a text for people, under headings, and can be kept as a file."""
        page.goto(f"{page_url}/models")
        page.get_by_text("The card: what it is for").click()
        expect(page.get_by_role("heading", name="What it is not for")).to_be_visible()
        expect(page.get_by_role("heading", name="Known weaknesses")).to_be_visible()
        expect(page.get_by_role("button", name="Card as JSON")).to_be_visible()


class TestAway:
    """The API goes away and comes back."""

    def test_message_retry_and_return(self, page: Page, stores: Path, tmp_path: Path) -> None:
        """The page says that nothing answers, offers to try again, shows no stack trace, and continues by itself."""
        port = free_port()
        with running_page(f"http://127.0.0.1:{port}", tmp_path, free_port()) as url:
            with running_api(stores, port):
                appraise(page, url)
            see(page, "The appraisal service does not answer")
            page.get_by_role("button", name="Try again").click()
            see(page, "The appraisal service does not answer")
            expect(page.get_by_text("Traceback")).to_have_count(0)
            with running_api(stores, port):
                expect(page.get_by_text("does not answer")).to_have_count(0, timeout=PATIENCE_MS)
                page.get_by_role("button", name="Appraise", exact=True).click()
                see(page, "Why this price")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
class TestLooks:
    """Both pages on a telephone, a laptop and a large screen, light and dark."""

    def test_fits_and_loads_nothing_from_outside(
        self, browser: Browser, page_url: str, screenshots: Path, width: int, scheme: Literal["light", "dark"]
    ) -> None:
        """Nothing is wider than the screen, and every request goes to the page's own server. Pictures are kept."""
        outside: list[str] = []
        own = re.compile(rf"^(data:|blob:|(http|ws)://{re.escape(page_url.removeprefix('http://'))}/)")
        with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            page.on("request", lambda request: None if own.match(request.url) else outside.append(request.url))
            page.on("websocket", lambda socket: None if own.match(socket.url) else outside.append(socket.url))
            appraise(page, page_url)
            self._check(page, screenshots / f"appraise-{width}-{scheme}.png")
            page.goto(f"{page_url}/models")
            see(page, "What was decided, and why")
            expect(page.locator(".st-key-timeline svg").last).to_be_visible(timeout=PATIENCE_MS)
            self._check(page, screenshots / f"models-{width}-{scheme}.png")
        assert not outside

    def _check(self, page: Page, file: Path) -> None:
        picture(page, file)
        too_wide = page.get_by_test_id("stMain").evaluate("main => main.scrollWidth - main.clientWidth")
        assert too_wide <= 0, f"{file.stem} is {too_wide} px wider than the screen"
