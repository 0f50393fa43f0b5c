"""What Streamlit runs: the frame around the pages."""

from pathlib import Path
from typing import Final

import streamlit as st

from appraiser_ui.language_switch import choose_language, show_switch
from appraiser_ui.words import say

HERE: Final = Path(__file__).parent
ICONS: Final = {
    "appraise": ":material/real_estate_agent:",
    "batch": ":material/table_view:",
    "models": ":material/model_training:",
    "data": ":material/database:",
    "service": ":material/monitor_heart:",
}
"""The pages in the order of the menu, by the name of their file; `frame.pages` in the words has their titles."""

st.set_page_config(page_title="Appraiser", page_icon=str(HERE / "icon.svg"), layout="wide")
choose_language()
page = st.navigation(
    [
        st.Page(
            HERE / "entries" / f"{name}.py", title=say(f"frame.pages.{name}"), icon=icon, default=name == "appraise"
        )
        for name, icon in ICONS.items()
    ],
    position="top",
)
show_switch()
page.run()
