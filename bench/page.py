"""A first visit to the page by the clock: until there is a form to fill in, and from *Appraise* to the answer."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright
from stand import clean_listings, free_port, keep_champion, running_api, sample_file, train_champion, wait_until_ready

from appraiser_model import COMPARABLES_FILE, TrainingConfig
from appraiser_model.comparables import kept_of

CHROMIUM: Final = Path("/usr/bin/chromium")
PATIENCE_MS: Final = 60_000

FIGURES: Final = {
    "first_paint_s": "first paint",
    "usable_form_s": "form that can be filled in",
    "price_s": "from *Appraise* to the price",
    "reasons_s": "from *Appraise* to the chart of the reasons",
    "comparables_s": "from *Appraise* to the map of comparables",
    "slider_s": "from a slider to its price",
}


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--visits", type=int, default=10)
    asked = parser.parse_args()
    if not CHROMIUM.exists():
        sys.exit(f"no browser at {CHROMIUM}: install the package chromium")
    visits = measure(asked.visits)
    medians = {name: round(statistics.median(visit[name] for visit in visits), 3) for name in FIGURES}
    worst = {name: round(max(visit[name] for visit in visits), 3) for name in FIGURES}
    if asked.json:
        print(json.dumps({"visits": len(visits), "median": medians, "worst": worst}, indent=2))
    else:
        print("| | median [s] | worst [s] |\n|---|--:|--:|")
        print("\n".join(f"| {text} | {medians[name]:.2f} | {worst[name]:.2f} |" for name, text in FIGURES.items()))


def measure(visits: int) -> list[dict[str, float]]:
    """Visit a page over an API with a champion trained on the sample, each time as somebody new."""
    with tempfile.TemporaryDirectory(prefix="appraiser-page-") as scratch:
        folder = Path(scratch)
        listings = clean_listings(sample_file())
        bundle = train_champion(listings, TrainingConfig(max_rounds=200))
        keep_champion(bundle, folder / "models")
        kept_of([listings], len(listings)).write_parquet(folder / "models" / bundle.digest / COMPARABLES_FILE)
        with running_api(folder) as api, running_page(api.url, folder) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            # The first visit of all warms up the servers, as whoever started them does, and does not count.
            return [_visit(browser, url, number) for number in range(visits + 1)][1:]


def _visit(browser: Browser, url: str, number: int) -> dict[str, float]:
    with browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US") as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        began = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.locator(".st-key-appraise button:enabled").wait_for()
        usable = time.perf_counter() - began
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000")
        size = page.get_by_label("Living area (sqft)", exact=True)
        size.fill(str(1500 + 10 * number))
        size.press("Tab")
        page.wait_for_timeout(500)
        return {"first_paint_s": paint, "usable_form_s": usable} | _answered(page)


def _answered(page: Page) -> dict[str, float]:
    began = time.perf_counter()
    page.locator(".st-key-appraise button").click()
    figures: dict[str, float] = {}
    for name, place in (
        ("price_s", ".st-key-answer [data-testid=stMetricValue]"),
        ("reasons_s", ".st-key-waterfall svg.marks"),
        ("comparables_s", ".st-key-comparables-map svg.marks"),
    ):
        page.locator(place).first.wait_for()
        figures[name] = time.perf_counter() - began
    return figures | {"slider_s": _moved(page)}


def _moved(page: Page) -> float:
    """Seconds from a key on a slider until the price beside it is another one."""
    shown = page.locator(".st-key-what-if [data-testid=stMetricValue]")
    before, slider = shown.inner_text(), page.get_by_role("slider", name="Living area (sqft)")
    slider.focus()
    began = time.perf_counter()
    slider.press("PageUp")
    page.wait_for_function(
        "([selector, before]) => document.querySelector(selector)?.innerText !== before",
        arg=[".st-key-what-if [data-testid=stMetricValue]", before],
    )
    return time.perf_counter() - began


@contextmanager
def running_page(api_url: str, folder: Path) -> Iterator[str]:
    """The page over an API; its address, once it answers."""
    port = free_port()
    variables = {"APPRAISER_API_URL": api_url, "APPRAISER_UI_PORT": str(port)}
    with (folder / "page.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "appraiser_ui"], env=os.environ | variables, stdout=log, stderr=log
        )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main()
