"""How every page looks, and whether everybody can use it: narrow and wide, light and dark, English and Spanish."""

import re
from pathlib import Path
from typing import Final, Literal

import pytest
from browser.looking import PATIENCE_MS, appraise, hindrances, picture, settle
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
                with capsys.disabled():
                    trouble += hindrances(page, f"{name} {width} {scheme} {language}")
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
