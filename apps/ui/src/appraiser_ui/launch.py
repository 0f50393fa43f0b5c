"""The command that serves the page."""

import sys
from pathlib import Path

from appraiser_ui.settings import Settings

SCRIPT = Path(__file__).parent / "app.py"
"""What Streamlit runs. The settings that never change lie beside it, in `.streamlit/config.toml`."""


def command(settings: Settings, *, reload: bool) -> list[str]:
    """Command line of the server.

    Args:
        settings: Where to listen.
        reload: Whether to watch the source and run it again when it changes.
    """
    return [
        *(sys.executable, "-m", "streamlit", "run", str(SCRIPT)),
        f"--server.address={settings.ui_host}",
        f"--server.port={settings.ui_port}",
        f"--server.fileWatcherType={'auto' if reload else 'none'}",
        f"--server.runOnSave={'true' if reload else 'false'}",
    ]
