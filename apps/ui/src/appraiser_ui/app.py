"""What Streamlit runs: the frame around the pages."""

from pathlib import Path
from typing import Final

import streamlit as st

HERE: Final = Path(__file__).parent

st.set_page_config(page_title="Appraiser", page_icon=str(HERE / "icon.svg"), layout="wide")
st.navigation(
    [
        st.Page(HERE / "pages" / "appraise.py", title="Appraise", icon=":material/real_estate_agent:", default=True),
        st.Page(HERE / "pages" / "models.py", title="Models", icon=":material/model_training:"),
    ],
    position="top",
).run()
