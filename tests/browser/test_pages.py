"""The pages in a real browser, over the real API."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from browser.looking import PATIENCE_MS, WATERFALL, appraise, choose, see, settle
from browser.page_stand import free_port, running_api, running_page
from playwright.sync_api import Browser, Page, expect

from appraiser_schema import Explanation, ServiceState, example_listing
from appraiser_ui.figures import money
from appraiser_ui.words import Language, speaking

pytestmark = pytest.mark.browser

HOUSTON: Final = {"state": "Texas", "city": "Houston", "zip_code": "77005", "house_size": 2500.0}


def explain(api_url: str, **changed: object) -> Explanation:
    """What the API itself answers about the example."""
    body = httpx.post(f"{api_url}/explain", json=example_listing() | changed, trust_env=False).content
    return Explanation.model_validate_json(body)


def requests(api_url: str) -> dict[str, int]:
    """How often each route of the API has been asked."""
    state = ServiceState.model_validate_json(httpx.get(f"{api_url}/service", trust_env=False).content)
    return {route.route: route.requests for route in state.routes}


def price(page: Page) -> str:
    """The price that is shown first."""
    return page.get_by_test_id("stMetricValue").first.inner_text()


class TestAppraise:
    """A visitor appraises a house."""

    def test_full_appraisal(self, page: Page, page_url: str, api_url: str) -> None:
        """From state to city to zip code, and the size; then price, range, reasons, sliders, comparables and a link."""
        page.goto(page_url)
        choose(page, "State", "Texas")
        choose(page, "City", "Houston")
        see(page, "The model has learned from")
        choose(page, "Zip code", "77005")
        size = page.get_by_label("Living area (sqft)", exact=True).first
        size.fill("2500")
        size.press("Tab")
        page.get_by_role("button", name="Appraise", exact=True).click()

        answer = explain(api_url, **HOUSTON)
        chart = page.locator(WATERFALL)
        expect(chart).to_contain_text("Living area: 2,500 sqft", timeout=PATIENCE_MS)
        expect(chart).to_contain_text(money(answer.appraisal.price_usd))
        assert price(page) == money(answer.appraisal.price_usd)
        assert answer.appraisal.interval is not None
        see(page, f"Between {money(answer.appraisal.interval.lower_usd)}")
        see(page, "Trained on simulated listings")
        expect(page.locator(".st-key-comparables-map svg.marks")).to_be_visible(timeout=PATIENCE_MS)
        self._reopen(page, money(answer.appraisal.price_usd))
        self._move_a_slider(page, api_url)

    def _reopen(self, page: Page, shown: str) -> None:
        """The address is a link to the house: it brings the answer without a press of the button."""
        asked = parse_qs(urlsplit(page.url).query)
        assert (asked["city"], asked["zip_code"], asked["house_size"]) == (["Houston"], ["77005"], ["2500"])
        page.goto(page.url)
        expect(page.get_by_test_id("stMetricValue").first).to_have_text(shown, timeout=PATIENCE_MS)
        expect(page.get_by_label("Living area (sqft)", exact=True).first).to_have_value("2500")

    def _move_a_slider(self, page: Page, api_url: str) -> None:
        """A slider, moved with the keyboard, redraws the price beside it, and the answer above stays."""
        before = price(page)
        slider = page.get_by_role("slider", name="Bathrooms")
        slider.focus()
        for _ in range(4):
            slider.press("ArrowRight")
        then = explain(api_url, **HOUSTON, bath=4.0).appraisal.price_usd
        expect(page.locator(".st-key-what-if").get_by_test_id("stMetricValue")).to_have_text(
            money(then), timeout=PATIENCE_MS
        )
        assert price(page) == before

    def test_unknown_and_unseen(self, page: Page, page_url: str) -> None:
        """An empty field counts as unknown; a place that was never seen is told, and warned of."""
        page.goto(page_url)
        page.get_by_label("Bedrooms", exact=True).first.fill("")
        page.get_by_label("Bedrooms", exact=True).first.press("Tab")
        choose(page, "State", "Guam")
        page.get_by_role("button", name="Appraise", exact=True).click()
        expect(page.locator(WATERFALL)).to_contain_text("Bedrooms: unknown", timeout=PATIENCE_MS)
        see(page, "unlike those that the model was trained on")
        see(page, "The model has learned from few listings in Guam: 0.")

    def test_form_is_kept(self, page: Page, page_url: str) -> None:
        """What was filled in and what was answered are still there after a look at another page."""
        page.goto(page_url)
        page.get_by_label("Living area (sqft)", exact=True).fill("2000")
        page.get_by_label("Living area (sqft)", exact=True).press("Tab")
        page.get_by_role("button", name="Appraise", exact=True).click()
        see(page, "Why this price")
        page.get_by_role("link", name="Service").click()
        expect(page.get_by_role("heading", name="Service", level=1)).to_be_visible(timeout=PATIENCE_MS)
        page.get_by_role("link", name="Appraise").click()
        see(page, "Why this price")
        expect(page.get_by_label("Living area (sqft)", exact=True).first).to_have_value("2000")


class TestLanguages:
    """A visitor chooses a language."""

    def test_switched_and_remembered(self, page: Page, page_url: str, api_url: str) -> None:
        """The switch changes every word and figure and the language of the document; the next visit remembers it."""
        page.goto(page_url)
        see(page, "Appraise a house")
        assert page.locator("html").get_attribute("lang") == "en"
        page.get_by_role("button", name="Español").or_(page.get_by_role("radio", name="Español")).first.click()
        see(page, "Avaluar una casa")
        expect(page.locator("html")).to_have_attribute("lang", "es", timeout=PATIENCE_MS)
        assert "lang=es" in page.url
        page.goto(page_url)
        see(page, "Avaluar una casa")
        page.get_by_role("button", name="Avaluar", exact=True).click()
        with speaking(Language.SPANISH):
            shown = money(explain(api_url).appraisal.price_usd)
        expect(page.get_by_test_id("stMetricValue").first).to_have_text(shown, timeout=PATIENCE_MS)

    def test_the_browsers_own(self, browser: Browser, page_url: str) -> None:
        """A first visit follows the language of the browser; the address counts more."""
        with browser.new_context(locale="es-CO") as context:
            page = context.new_page()
            page.goto(page_url)
            see(page, "Avaluar una casa")
            page.goto(f"{page_url}/?lang=en")
            see(page, "Appraise a house")


class TestModels:
    """A visitor looks at the models."""

    def test_versions_and_card(self, page: Page, page_url: str) -> None:
        """The page tells why the newest version was rejected; its card is a text that can be kept as a file."""
        page.goto(f"{page_url}/models")
        see(page, "it must be 3.0% smaller")
        card = page.get_by_text("The card").first
        card.click()
        expect(page.get_by_role("heading", name="Known weaknesses")).to_be_visible(timeout=PATIENCE_MS)


class TestQuiet:
    """A page that nobody touches."""

    def test_asks_for_nothing_else(self, page: Page, page_url: str, api_url: str) -> None:
        """It looks every four seconds whether a model can answer, and asks for nothing that it shows already."""
        appraise(page, page_url)
        settle(page)
        before = requests(api_url)
        page.wait_for_timeout(9_000)
        asked = {route: times - before.get(route, 0) for route, times in requests(api_url).items()}
        asked = {route: times for route, times in asked.items() if times and route != "/service"}
        assert set(asked) == {"/health/ready"}
        assert asked["/health/ready"] <= 3


class TestAway:
    """The API goes away and comes back."""

    def test_message_retry_and_return(self, page: Page, stores: Path, tmp_path: Path) -> None:
        """Each page says that nothing answers, offers to try again, shows no stack trace, and continues by itself."""
        port = free_port()
        with running_page(f"http://127.0.0.1:{port}", tmp_path, free_port()) as url:
            with running_api(stores, port):
                appraise(page, url)
            see(page, "The appraisal service does not answer")
            page.get_by_role("button", name="Try again").click()
            see(page, "The appraisal service does not answer")
            for name in ("Batch", "Models", "Data", "Service"):
                page.get_by_role("link", name=name).click()
                page.wait_for_url(re.compile(rf"/{name.lower()}\b"), timeout=PATIENCE_MS)
                expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE_MS)
                settle(page)
                expect(page.get_by_text("Traceback")).to_have_count(0)
                expect(page.get_by_test_id("stException")).to_have_count(0)
            page.get_by_role("link", name="Appraise").click()
            see(page, "The appraisal service does not answer")
            with running_api(stores, port):
                expect(page.get_by_text("does not answer")).to_have_count(0, timeout=PATIENCE_MS)
                page.get_by_role("button", name="Appraise", exact=True).click()
                see(page, "Why this price")
