"""The pages over the real API, without a browser: what is asked, what is shown."""

from pathlib import Path
from typing import Final

import httpx
import pytest
from browser.page_stand import build_empty_stores, free_port, running_api
from streamlit.testing.v1 import AppTest

from appraiser_schema import Explanation, example_listing
from appraiser_ui import readings
from appraiser_ui.appraise import sentences
from appraiser_ui.appraise.place import key_of
from appraiser_ui.errors import ApiAwayError
from appraiser_ui.figures import money
from appraiser_ui.launch import SCRIPT
from appraiser_ui.words import Language, speaking

TEXAS: Final = {"state": "Texas"}


@pytest.fixture
def app(api_url: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page over the real API, at its first sight."""
    monkeypatch.setenv("APPRAISER_API_URL", api_url)
    return AppTest.from_file(SCRIPT, default_timeout=60).run()


def press(app: AppTest) -> AppTest:
    """Press Appraise."""
    app.button(key="appraise").click().run()
    assert not app.exception
    return app


def price_of(app: AppTest) -> str:
    """The price that is shown."""
    return str(app.metric[0].value).replace("\\", "")


def ask_about(app: AppTest, **listing: object) -> AppTest:
    """Open the page by the link to a house."""
    for name, value in listing.items():
        app.query_params[name] = str(value)
    app.run()
    assert not app.exception
    return app


def explain(api_url: str, **changed: object) -> Explanation:
    """What the API itself answers about the example."""
    answer = httpx.post(f"{api_url}/explain", json=example_listing() | changed, trust_env=False)
    return Explanation.model_validate_json(answer.content)


def unknown_but(**known: object) -> dict[str, object]:
    """A house of which nothing is known but this."""
    return dict.fromkeys(set(example_listing()) - {"status"}) | known


class TestAppraise:
    """The page Appraise."""

    def test_example(self, app: AppTest, api_url: str) -> None:
        """The price of the example is the API's, with the version that gave it and a word on simulated listings."""
        press(app)
        assert price_of(app) == money(explain(api_url).appraisal.price_usd)
        shown = " ".join(str(element.value) for element in app.markdown)
        assert "model version 1" in shown
        assert "Trained on simulated listings" in shown

    def test_what_is_filled_in_is_what_is_asked(self, app: AppTest, api_url: str) -> None:
        """Another state and size, and unknown bedrooms, reach the API as such."""
        app.selectbox(key="listing-state").set_value("Texas").run()
        assert app.selectbox(key=key_of("city", TEXAS)).value is None
        app.selectbox(key=key_of("city", TEXAS)).set_value("Houston").run()
        app.number_input(key="listing-house_size").set_value(2500)
        app.number_input(key="listing-bed").set_value(None)
        press(app)
        asked = {"state": "Texas", "city": "Houston", "zip_code": None, "house_size": 2500.0, "bed": None}
        assert price_of(app) == money(explain(api_url, **asked).appraisal.price_usd)

    def test_reasons(self, app: AppTest, api_url: str) -> None:
        """Every reason is in the table, and the dollars lead from the typical house to this one."""
        table = press(app).table[0].value
        explanation = explain(api_url)
        assert len(table) == len(explanation.contributions) + 2
        dollars = [
            int(text.replace("\N{MINUS SIGN}", "-").translate(str.maketrans("", "", "\\$,+±")))
            for text in table["US dollars"]
        ]
        assert dollars[0] == round(explanation.base_usd)
        assert sum(dollars[:-1]) == dollars[-1] == round(explanation.appraisal.price_usd)

    def test_sentences_are_those_of_the_api(self, api_url: str) -> None:
        """In English the page says each reason and each warning as the API does, whichever way it goes."""
        for changed in ({}, {"bed": None, "house_size": 40_000.0, "state": "Guam"}, {"bed": 1.0, "city": None}):
            answer = explain(api_url, **changed)
            said = [sentences.reason(reason) for reason in answer.contributions]
            # A day is written as people write it.
            assert said == [reason.text.replace("1999-09-30", "Sep 30, 1999") for reason in answer.contributions]
            assert len({sentences.caution(found) for found in answer.cautions}) == len(answer.appraisal.warnings)

    def test_spanish(self, api_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """With the language in the address, the same house has the same price, written and told in Spanish."""
        monkeypatch.setenv("APPRAISER_API_URL", api_url)
        app = AppTest.from_file(SCRIPT, default_timeout=60)
        ask_about(app, lang="es", state="Guam", house_size=40_000)
        assert app.title[0].value == "Avaluar una casa"
        with speaking(Language.SPANISH):
            assert price_of(app) == money(
                explain(api_url, **unknown_but(state="Guam", house_size=40_000.0)).appraisal.price_usd
            )
        assert "fuera de casi todos los anuncios" in app.warning[0].value
        assert "Anuncios comparables" in [element.value for element in app.header]

    def test_what_the_model_has_seen(self, app: AppTest) -> None:
        """States say how many listings the model has seen, and cities and zip codes are those that it has seen."""
        states = app.selectbox(key="listing-state").options
        assert any(state.startswith("Texas · ") for state in states)
        assert "Guam · not seen" in states
        app.selectbox(key="listing-state").set_value("Texas").run()
        (houston,) = app.selectbox(key=key_of("city", TEXAS)).options
        assert houston.startswith("Houston · ")
        app.selectbox(key=key_of("city", TEXAS)).set_value("Houston").run()
        assert {
            option[:5] for option in app.selectbox(key=key_of("zip_code", TEXAS | {"city": "Houston"})).options
        } == {"77002", "77005"}

    def test_what_if(self, app: AppTest, api_url: str) -> None:
        """A slider changes the price beside it as the API would, and nothing else."""
        press(app)
        before = price_of(app)
        slider = next(slider for slider in app.slider if slider.label == "Bathrooms")
        slider.set_value(4.0).run()
        assert price_of(app) == before
        assert str(app.metric[1].value).replace("\\", "") == money(explain(api_url, bath=4.0).appraisal.price_usd)

    def test_comparables(self, app: AppTest, api_url: str) -> None:
        """The table shows the listings most like the house, as the API finds them."""
        found = httpx.post(f"{api_url}/comparables", json=example_listing(), trust_env=False).json()["listings"]
        table = press(app).dataframe[0].value
        assert list(table["price"]) == [listing["price_usd"] for listing in found]
        assert {place[:13] for place in table["where"]} <= {"East Windsor ", "Hartford 0610", "Agawam 01001"}

    def test_a_wrong_field_is_marked(self, api_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the API refuses stands at the field, and no price is shown."""
        monkeypatch.setenv("APPRAISER_API_URL", api_url)
        app = ask_about(AppTest.from_file(SCRIPT, default_timeout=60), state="Texas", zip_code="123")
        assert "Must be a zip code" in app.error[0].value
        assert not app.metric

    def test_the_same_house_is_asked_once(self, app: AppTest, api_url: str) -> None:
        """An answer is kept per house and version."""
        press(app)
        again = [readings.explain(api_url, example_listing(), 1).appraisal.request_id for _ in range(2)]
        assert again[0] == again[1]

    def test_an_answer_of_another_version_is_not_kept(self, api_url: str) -> None:
        """Where the version changed in between, the answer is not kept under the old one."""
        asked = [readings.explain(api_url, example_listing(), 99).appraisal.request_id for _ in range(2)]
        assert asked[0] != asked[1]


class TestModels:
    """The page Models."""

    def test_versions(self, app: AppTest) -> None:
        """Every version is there, newest first, with what became of it."""
        table = app.switch_page("entries/models.py").run().dataframe[0].value
        assert not app.exception
        assert list(table["version"]) == [2, 1]
        assert list(table["verdict"]) == ["Rejected", "In service, champion"]
        assert next(iter(table["why"])).startswith("The mean absolute error is 0.4% smaller")

    def test_selected_version(self, app: AppTest) -> None:
        """The rules that decided about a version are shown with their figures."""
        app.switch_page("entries/models.py").run()
        app.selectbox(key="version").set_value(1).run()
        rules = app.table[0].value
        assert next(iter(rules["Rule"])).startswith(
            "**Mean absolute error**: The mean absolute error is 12.0% smaller".replace(".0%", r"\.0%")
        )
        assert list(rules["Passed"]) == ["✓ yes"]
        assert list(rules["Figure"]) == ["\N{MINUS SIGN}12\N{NO-BREAK SPACE}%"]
        assert list(rules["Threshold"]) == ["\N{MINUS SIGN}3\N{NO-BREAK SPACE}%"]

    def test_service_stops_in_between(self, app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the API stops after the versions were read, the page keeps them and says so at the one selected."""

        def stopped(url: str, _: int) -> None:
            raise ApiAwayError(url, "slow")

        monkeypatch.setattr(readings, "model_version", stopped)
        app.switch_page("entries/models.py").run()
        assert not app.exception
        assert len(app.dataframe) >= 1
        assert "does not answer" in app.error[0].value

    def test_batches(self, app: AppTest) -> None:
        """Every batch is there with what became of its rows."""
        table = app.switch_page("entries/data.py").run().dataframe[0].value
        assert not app.exception
        assert list(table["received"]) == [1235, 1234]
        assert list(table["quarantined"]) == [34, 34]


class TestWithoutModel:
    """Before the first model."""

    def test_says_what_the_system_does(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both pages say where the first batch is, and nothing can be appraised yet."""
        build_empty_stores(tmp_path)
        with running_api(tmp_path, free_port(), ready=False) as url:
            monkeypatch.setenv("APPRAISER_API_URL", url)
            app = AppTest.from_file(SCRIPT, default_timeout=60).run()
            assert "No model is in service yet" in app.info[0].value
            assert "being checked" in app.info[0].value
            assert app.button(key="appraise").disabled
            app.switch_page("entries/models.py").run()
            assert not app.exception
            assert "No model has been trained yet" in app.info[0].value
