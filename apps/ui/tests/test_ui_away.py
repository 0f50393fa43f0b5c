"""The pages while the API does not answer."""

import pytest
from streamlit.testing.v1 import AppTest

from appraiser_schema import example_listing
from appraiser_ui.appraise.place import key_of
from appraiser_ui.launch import SCRIPT


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page over an address where nobody listens."""
    monkeypatch.setenv("APPRAISER_API_URL", "http://127.0.0.1:9")
    return AppTest.from_file(SCRIPT, default_timeout=30).run()


class TestAway:
    """What a visitor sees."""

    def test_appraise(self, app: AppTest) -> None:
        """The page says so in words, offers to try again, and keeps the form; no exception is shown."""
        assert not app.exception
        assert "does not answer" in app.error[0].value
        assert app.button(key="retry").label == "Try again"
        assert app.selectbox(key=key_of("zip_code", example_listing())).value == "06016"

    def test_models(self, app: AppTest) -> None:
        """The other page says the same."""
        app.switch_page("entries/models.py").run()
        assert not app.exception
        assert "does not answer" in app.error[0].value

    def test_trying_again_in_vain(self, app: AppTest) -> None:
        """Where it still does not answer, the page says so again."""
        app.button(key="retry").click().run()
        assert not app.exception
        assert len(app.error) == 1

    def test_trying_again_draws_once(self) -> None:
        """The page is drawn once more and not twice: a second drawing would take the place of a link just clicked."""

        def page() -> None:
            import streamlit as st

            from appraiser_ui.errors import NoModelError
            from appraiser_ui.notices import show_error

            st.session_state.drawn = st.session_state.get("drawn", 0) + 1
            show_error(NoModelError("none yet"))

        app = AppTest.from_function(page, default_timeout=30).run()
        app.button(key="retry").click().run()
        assert app.session_state.drawn == 2
