"""Tables of the page."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

import appraiser_ui
from appraiser_ui.figures import DASH


def drawn() -> None:
    """A page with a table that lacks a value."""
    from appraiser_ui.tables import show_table

    show_table([{"price": 1.0}, {"price": None}], key="table", alt="Prices.")


class TestTables:
    """What is missing is never called None, which is English and means nothing to most."""

    def test_dash(self) -> None:
        """It is a dash."""
        page = AppTest.from_function(drawn).run()
        assert not page.exception
        assert page.dataframe[0].proto.placeholder == DASH

    def test_no_other_way(self) -> None:
        """Every table is drawn in this way."""
        folder = Path(appraiser_ui.__file__).parent
        named = {file.name for file in folder.rglob("*.py") if "st.dataframe(" in file.read_text(encoding="utf-8")}
        assert named == {"tables.py"}
