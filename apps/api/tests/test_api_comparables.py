"""What the model has learned from, over HTTP: places, and listings like a house."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from running_api import serves, wait_for
from starlette.testclient import TestClient
from tiny_champion import build_market, promote

from appraiser_api.settings import Settings
from appraiser_model import COMPARABLES_FILE, Bundle, Registry
from appraiser_model.comparables import kept_of
from appraiser_schema import Comparables, Explanation, Market, StateMarket, example_listing

MARKET = build_market().filter(split="train")


@pytest.fixture
def keeping(app: FastAPI, registry: Registry, bundles: tuple[Bundle, Bundle], tmp_path: Path) -> Iterator[TestClient]:
    """A client of the running application, whose model has its listings kept with it.

    It is a version of its own: the files of the first are those of every test.
    """
    folder = tmp_path / "kept"
    folder.mkdir()
    kept_of([MARKET], len(MARKET)).write_parquet(folder / COMPARABLES_FILE)
    version = registry.register(bundles[0])
    registry.keep_files(version, folder)
    promote(registry, version)
    with TestClient(app) as client:
        wait_for(lambda: serves(client) == version)
        yield client


def ask(client: TestClient, **changed: object) -> Comparables:
    """Comparables of the example."""
    return Comparables.model_validate_json(client.post("/comparables", json=example_listing() | changed).content)


class TestKeptListings:
    """Where listings are kept with the model."""

    def test_comparables(self, keeping: TestClient, settings: Settings) -> None:
        """They stand near, the most like first, without an address, and the file is cached beside the bundle."""
        found = ask(keeping)
        assert (found.missing, found.rows_kept, found.rows_train) == (None, len(MARKET), len(MARKET))
        assert found.listings[0].state == "Connecticut"
        assert found.listings[0].miles is not None
        assert found.listings[0].miles < 30
        assert len(list(settings.model_cache.glob(f"*/{COMPARABLES_FILE}"))) == 1

    def test_number(self, keeping: TestClient) -> None:
        """As many are found as are asked for, within bounds."""
        assert (
            len(
                Comparables.model_validate(
                    keeping.post("/comparables?number=3", json=example_listing()).json()
                ).listings
            )
            == 3
        )
        assert keeping.post("/comparables?number=51", json=example_listing()).status_code == 422

    def test_zip_codes_of_cities(self, keeping: TestClient) -> None:
        """A state names its cities and their zip codes, each with its listings and its position."""
        texas = StateMarket.model_validate_json(keeping.get("/places/Texas").content)
        (houston,) = texas.cities
        assert {code.name for code in houston.zip_codes} == {"77002", "77005"}
        assert sum(code.listings for code in houston.zip_codes) == houston.listings == texas.listings
        assert houston.zip_codes[0].latitude == pytest.approx(29.7, abs=0.2)

    def test_a_damaged_file_is_fetched_again(self, keeping: TestClient, settings: Settings) -> None:
        """What cannot be read says so, and the next question finds it whole."""
        (folder,) = (path for path in settings.model_cache.iterdir() if path.is_dir())
        (folder / COMPARABLES_FILE).write_bytes(b"nonsense")
        assert ask(keeping).missing == "unreadable"
        assert ask(keeping).missing is None


class TestWithout:
    """Where none are kept."""

    def test_absent(self, serving: TestClient) -> None:
        """The answer says that there are none, and where the house stands all the same."""
        found = ask(serving)
        assert (found.missing, found.listings, found.rows_kept) == ("absent", (), 0)
        assert found.latitude is not None

    def test_places(self, serving: TestClient) -> None:
        """What the model has learned from is known from the model itself."""
        market = Market.model_validate_json(serving.get("/places").content)
        assert {place.name for place in market.states} == {"Connecticut", "Massachusetts", "Texas", "Puerto Rico"}
        assert sum(place.listings for place in market.states) == market.listings == len(MARKET)
        assert market.spans["house_size"][0] >= 500
        state = StateMarket.model_validate_json(serving.get("/places/Connecticut").content)
        assert [city.name for city in state.cities] == ["East Windsor", "Hartford"]

    def test_no_such_state(self, serving: TestClient) -> None:
        """A name that is no state is not found, a state that was never seen has nothing."""
        assert serving.get("/places/Atlantis").status_code == 404
        assert StateMarket.model_validate_json(serving.get("/places/Guam").content).listings == 0

    def test_cautions(self, serving: TestClient) -> None:
        """An explanation has the warnings of its appraisal, with their figures."""
        body = serving.post("/explain", json=example_listing() | {"state": "Guam", "house_size": 40_000.0}).content
        explanation = Explanation.model_validate_json(body)
        assert tuple(caution.text for caution in explanation.cautions) == explanation.appraisal.warnings
        assert [caution.code.value for caution in explanation.cautions][:2] == ["few_in_state", "number_outside"]
        assert explanation.cautions[1].figure == 40_000
