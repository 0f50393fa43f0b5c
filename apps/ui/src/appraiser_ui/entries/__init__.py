"""What Streamlit runs for each page."""
