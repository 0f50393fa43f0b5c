"""A file of houses with errors in it, and the champion taken back, in a real browser over the real API."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl
import pytest
from browser.looking import PATIENCE_MS, choose, hindrances, picture, see, settle
from browser.page_stand import free_port, ledger_url, running_api, running_page
from playwright.sync_api import Page, expect

from appraiser_schema import ApiKey, KeyFile, MoveKind, Scope, hash_key, new_key, utc_now
from appraiser_store import Ledger

pytestmark = pytest.mark.browser

ADMIN, OWN = new_key(), new_key()

HOUSES: Final = """Bedrooms,Baths,SqFt_Living,Sqft_Lot,Postcode,Seller
3,2,1617,8276,06016,=HYPERLINK(A1)
three,2,1500,8276,06016,Ann
4,2.5,40,8276,02108,Bob
2,1,900,4356,77002,Carl
"""
"""Four houses of which two have an error, under names that are not those of a listing."""


class TestBatch:
    """A visitor drops a file."""

    def test_with_errors(
        self, page: Page, page_url: str, tmp_path: Path, screenshots: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Columns are guessed, rows with errors are told by row, the others get prices, and the files hold all rows."""
        (tmp_path / "houses.csv").write_text(HOUSES)
        page.goto(f"{page_url}/batch")
        page.locator("input[type=file]").set_input_files(tmp_path / "houses.csv")
        see(page, "Land: 8276 square feet becomes 0.19 acres")
        expect(page.locator(".st-key-batch-checked")).to_contain_text("Can be appraised2Have a problem2")
        see(page, "Living area must be at least 100")
        see(page, "Bedrooms must be a number")
        page.get_by_role("button", name="Appraise 2 houses").click()
        expect(page.locator(".st-key-batch-figures")).to_contain_text("Appraised2", timeout=PATIENCE_MS)
        page.set_viewport_size({"width": 390, "height": 900})
        picture(page, screenshots / "batch-results-390.png")
        with capsys.disabled():
            assert not hindrances(page, "batch with prices, 390")
        csv = _download(page, "All rows as CSV", tmp_path / "out.csv")
        rows = pl.read_csv(csv, infer_schema=False)
        assert rows["appraiser_row"].to_list() == ["1", "2", "3", "4"]
        assert [price is not None for price in rows["appraiser_price_usd"]] == [True, False, False, True]
        assert rows["appraiser_error"].to_list() == [None, "bed: a number", "house_size: at least 100", None]
        assert rows["Seller"][0] == "'=HYPERLINK(A1)"
        parquet = pl.read_parquet(_download(page, "All rows as Parquet", tmp_path / "out.parquet"))
        assert parquet["appraiser_price_usd"].null_count() == 2
        page.get_by_role("tab", name="Map").click()
        expect(page.locator(".st-key-batch-map svg.marks")).to_contain_text("Houston", timeout=PATIENCE_MS)

    def test_correcting_a_guess(self, page: Page, page_url: str, tmp_path: Path) -> None:
        """Land that was taken for square feet is in hectares once that is said."""
        (tmp_path / "houses.csv").write_text(HOUSES)
        page.goto(f"{page_url}/batch?lang=es")
        page.locator("input[type=file]").set_input_files(tmp_path / "houses.csv")
        see(page, "Terreno: 8276 pies cuadrados pasa a ser 0,19 acres")
        settle(page)
        choose(page, "Terreno: escrita en", "hectáreas")
        see(page, "Terreno debe ser como máximo 10.000")


@pytest.fixture(scope="module")
def keyed(stores: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A copy of the stores, and the page over an API with keys; the page's own key may not roll back."""
    folder = tmp_path_factory.mktemp("keyed") / "stores"
    shutil.copytree(stores, folder, ignore=shutil.ignore_patterns("var", "*.log"))
    own = (Scope.PREDICT, Scope.READ)
    keys = [
        ApiKey(name=name, sha256=hash_key(key), scopes=scopes, created_at=utc_now())
        for name, key, scopes in (("ann", ADMIN, (Scope.ADMIN,)), ("page", OWN, own))
    ]
    (folder / "keys.json").write_text(KeyFile(keys=tuple(keys)).model_dump_json())
    settings = {
        "APPRAISER_API_KEYS": str(folder / "keys.json"),
        "APPRAISER_PREDICTION_LOG": str(folder / "log"),
        "APPRAISER_API_RUN": str(folder / "run"),
    }
    with (
        running_api(folder, free_port(), settings=settings) as api_url,
        running_page(api_url, folder, free_port(), OWN) as url,
    ):
        yield folder, url


class TestRollback:
    """An operator takes the champion back from the page."""

    def test_key_and_reason(self, page: Page, keyed: tuple[Path, str]) -> None:
        """Nothing moves without a reason or with a key that may not; with both, it is on record by name."""
        folder, url = keyed
        page.goto(f"{url}/models")
        settle(page)
        page.get_by_text("Roll back").first.click()
        button = page.get_by_role("button", name="Roll back", exact=True)
        button.click()
        see(page, "A reason is needed")
        see(page, "An admin key is needed")
        choose(page, "Look at version", "1")
        see(page, "A reason is needed")
        page.get_by_label("Reason", exact=True).fill("Prices look odd.")
        page.get_by_label("Admin key", exact=True).fill(OWN)
        button.click()
        see(page, "lacks the scope")
        assert len(_moves(folder)) == 1
        page.get_by_label("Admin key", exact=True).fill(ADMIN)
        button.click()
        see(page, "is in service again")
        last = _moves(folder)[-1]
        assert (last.kind, last.who, last.why) == (MoveKind.ROLLBACK, "ann", "Prices look odd.")
        assert (last.from_version, last.to_version) == (1, 2)
        expect(page.get_by_text("Version 2 is in service. Compare it with version")).to_be_visible(timeout=PATIENCE_MS)


def _moves(folder: Path) -> list:  # type: ignore[type-arg]
    ledger = Ledger(ledger_url(folder))
    try:
        return ledger.moves()
    finally:
        ledger.close()


def _download(page: Page, name: str, file: Path) -> Path:
    with page.expect_download(timeout=PATIENCE_MS) as download:
        page.get_by_role("button", name=name).click()
    download.value.save_as(file)
    return file
