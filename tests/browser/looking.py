"""How tests look at the page: waiting for words, appraising, pictures."""

import sys
from collections import Counter
from pathlib import Path
from typing import Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

PATIENCE_MS: Final = 60_000
WATERFALL: Final = ".st-key-waterfall svg.marks"

COUNT_RUNS: Final = """() => {
    window.appraiserRuns = 0;
    window.appraiserWatch?.disconnect();
    window.appraiserWatch = new MutationObserver(() => { window.appraiserRuns += 1; });
    const app = document.querySelector('[data-testid="stApp"]');
    window.appraiserWatch.observe(app, { attributeFilter: ["data-test-script-state"] });
}"""
"""Counts how often the page says that it runs or has run."""

BUTTON: Final = {"en": "Appraise", "es": "Avaluar"}


def see(page: Page, text: str) -> None:
    """Wait until a text can be seen."""
    expect(page.get_by_text(text).filter(visible=True).first).to_be_visible(timeout=PATIENCE_MS)


def settle(page: Page) -> None:
    """Wait until the page has drawn itself."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENCE_MS)


def appraise(page: Page, url: str, language: str = "en") -> None:
    """Open the first page and press Appraise."""
    page.goto(url)
    page.get_by_role("button", name=BUTTON[language], exact=True).click()
    expect(page.locator(WATERFALL)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".st-key-comparables-map svg.marks")).to_be_visible(timeout=PATIENCE_MS)


def choose(page: Page, label: str, text: str) -> None:
    """Choose another entry of a list, one that begins with a text, and wait until the page has answered."""
    field = page.get_by_role("combobox", name=label, exact=True)
    field.click()
    field.fill(text)
    # The page says that it does not run until its server has heard of the choice, so that alone is no answer.
    page.evaluate(COUNT_RUNS)
    field.press("Enter")
    page.wait_for_function("window.appraiserRuns > 0", timeout=PATIENCE_MS)
    settle(page)


def picture(page: Page, file: Path) -> None:
    """Keep a picture of the whole page, however long it is."""
    size = page.viewport_size
    assert size
    height = page.get_by_test_id("stMain").evaluate("main => main.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": height + 40})
    page.wait_for_timeout(400)
    page.screenshot(path=file)
    page.set_viewport_size(size)


def hindrances(page: Page, what: str) -> list[str]:
    """What keeps people from using a page: serious findings of axe, whose summary is printed, width, faults.

    Args:
        page: The page as it stands.
        what: What it is called.
    """
    found = Axe().run(page).response["violations"]
    impacts = Counter(str(rule["impact"]) for rule in found)
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
    if page.get_by_test_id("stException").count():
        trouble.append(f"{what}: an exception is shown")
    return trouble
