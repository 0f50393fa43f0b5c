"""How every page looks, and whether everybody can use it: narrow and wide, light and dark, English and Spanish."""

import re
import sys
from collections import Counter
from pathlib import Path
from typing import Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.looking import PATIENCE_MS, appraise, picture, settle
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

PAGES: Final = ("appraise", "batch", "models", "data", "service")

type Look = tuple[int, Literal["light", "dark"], str]
"""Width of the screen [px], colours, language."""

LOOKS: Final[tuple[Look, ...]] = (
    (390, "light", "en"),
    (390, "dark", "es"),
    (1920, "dark", "en"),
    (1920, "light", "es"),
)
"""Both languages are looked at in light and dark, and at both widths."""


@pytest.mark.parametrize("look", LOOKS, ids=str)
class TestLooks:
    """The five pages."""

    def test_everybody_can_use_them(
        self,
        browser: Browser,
        page_url: str,
        screenshots: Path,
        look: Look,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Nothing is wider than the screen, every request goes to the page's own server, axe finds nothing serious."""
        width, scheme, language = look
        outside: list[str] = []
        trouble: list[str] = []
        own = re.compile(rf"^(data:|blob:|(http|ws)://{re.escape(page_url.removeprefix('http://'))}/)")
        locale = {"en": "en-US", "es": "es-CO"}[language]
        with browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, locale=locale
        ) as context:
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            page.on("request", lambda request: None if own.match(request.url) else outside.append(request.url))
            page.on("websocket", lambda socket: None if own.match(socket.url) else outside.append(socket.url))
            for name in PAGES:
                self._open(page, page_url, name, look)
                picture(page, screenshots / f"{name}-{width}-{scheme}-{language}.png")
                trouble += self._trouble(page, f"{name} {width} {scheme} {language}", capsys)
        assert not outside
        assert not trouble

    def _open(self, page: Page, url: str, name: str, look: Look) -> None:
        """Open a page: the first by its address, the others by the menu, which is there where the screen is wide."""
        width, _, language = look
        if name == "appraise":
            appraise(page, url, language)
        else:
            page.set_viewport_size({"width": 1920, "height": 900})
            page.locator(f"a[href$='/{name}']").first.click()
            page.wait_for_url(re.compile(rf"/{name}\b"), timeout=PATIENCE_MS)
            page.set_viewport_size({"width": width, "height": 900})
            expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE_MS)
        settle(page)
        expect(page.locator("html")).to_have_attribute("lang", language, timeout=PATIENCE_MS)

    def _trouble(self, page: Page, what: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
        """What is wrong with a page; the summary of axe is printed."""
        found = Axe().run(page).response["violations"]
        impacts = Counter(str(rule["impact"]) for rule in found)
        with capsys.disabled():
            told = ", ".join(f"{count} {impact}" for impact, count in impacts.items()) or "nothing"
            sys.stdout.write(f"\naxe: {what}: {told}")
        trouble = [
            f"{what}: {rule['id']} ({rule['impact']}): {', '.join(str(n['target'][0]) for n in rule['nodes'][:4])}"
            for rule in found
            if rule["impact"] in {"serious", "critical"}
        ]
        too_wide = page.get_by_test_id("stMain").evaluate("main => main.scrollWidth - main.clientWidth")
        if too_wide > 0:
            trouble.append(f"{what}: {too_wide} px wider than the screen")
        if page.get_by_role("gridcell", name="None", exact=True).count():
            trouble.append(f"{what}: what is missing in a table is called None")
        if page.get_by_test_id("stException").count():
            trouble.append(f"{what}: an exception is shown")
        return trouble
