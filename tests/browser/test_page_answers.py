"""The pages over the real API, without a browser: what is asked, what is shown."""

from pathlib import Path

import httpx
import pytest
from browser.page_stand import build_empty_stores, free_port, running_api
from streamlit.testing.v1 import AppTest

from appraiser_schema import Explanation, example_listing
from appraiser_ui import readings
from appraiser_ui.errors import ApiAwayError
from appraiser_ui.figures import money
from appraiser_ui.launch import SCRIPT


@pytest.fixture
def app(api_url: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page over the real API, at its first sight."""
    monkeypatch.setenv("APPRAISER_API_URL", api_url)
    return AppTest.from_file(SCRIPT, default_timeout=60).run()


def press(app: AppTest) -> AppTest:
    """Press Appraise."""
    app.button[0].click().run()
    assert not app.exception
    return app


def price_of(app: AppTest) -> str:
    """The price that is shown."""
    return str(app.metric[0].value).replace("\\", "")


def explain(api_url: str, **changed: object) -> Explanation:
    """What the API itself answers about the example."""
    answer = httpx.post(f"{api_url}/explain", json=example_listing() | changed, trust_env=False)
    return Explanation.model_validate_json(answer.content)


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
        app.selectbox(key="listing-state").set_value("Texas")
        app.text_input(key="listing-city").set_value("Houston")
        app.text_input(key="listing-zip_code").set_value("")
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

    def test_a_wrong_field_is_marked(self, app: AppTest) -> None:
        """What the API refuses stands at the field, in the API's words, and no price is shown."""
        app.text_input(key="listing-zip_code").set_value("123")
        press(app)
        assert "must be a zip code" in app.error[0].value
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
            "**MAE**: The mean absolute error is 12.0% smaller".replace(".0%", r"\.0%")
        )
        assert list(rules["Passed"]) == ["✓ yes"]
        assert list(rules["Figure"]) == ["\N{MINUS SIGN}12\N{NO-BREAK SPACE}%"]
        assert list(rules["Threshold"]) == ["\N{MINUS SIGN}3\N{NO-BREAK SPACE}%"]

    def test_service_stops_in_between(self, app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the API stops after the versions were read, the page keeps them and says so at the one selected."""

        def stopped(url: str, version: int) -> None:
            raise ApiAwayError(url, f"version {version} was not answered")

        monkeypatch.setattr(readings, "model_version", stopped)
        app.switch_page("entries/models.py").run()
        assert not app.exception
        assert len(app.dataframe) == 2
        assert "does not answer" in app.error[0].value

    def test_batches(self, app: AppTest) -> None:
        """Every batch is there with what became of its rows."""
        table = app.switch_page("entries/models.py").run().dataframe[1].value
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
            assert app.button[0].disabled
            app.switch_page("entries/models.py").run()
            assert not app.exception
            assert "No model has been trained yet" in app.info[0].value
