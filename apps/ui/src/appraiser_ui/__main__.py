"""Serve the page: `python -m appraiser_ui [--reload]`."""

import argparse
import os

from appraiser_ui.launch import command
from appraiser_ui.settings import Settings


def main() -> None:
    """Become the Streamlit server, so that a signal to this process reaches it."""
    parser = argparse.ArgumentParser(prog="appraiser_ui", description="Serve the web page of Appraiser.")
    parser.add_argument("--reload", action="store_true", help="run the page again when its source changes")
    line = command(Settings(), reload=parser.parse_args().reload)
    os.execv(line[0], line)  # noqa: S606 - the list is built above


if __name__ == "__main__":
    main()
