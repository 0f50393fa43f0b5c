"""The command that serves the page."""

import tomllib

import pytest
from pydantic import ValidationError

from appraiser_ui.launch import SCRIPT, command
from appraiser_ui.settings import Settings


class TestCommand:
    """How Streamlit is started."""

    def test_listens_on_loopback_and_watches_nothing(self) -> None:
        """Without settings the page is for this machine only, and no file is watched."""
        line = command(Settings(), reload=False)
        assert "--server.address=127.0.0.1" in line
        assert "--server.port=8501" in line
        assert "--server.fileWatcherType=none" in line

    def test_reload(self) -> None:
        """With reload the source is watched."""
        assert "--server.runOnSave=true" in command(Settings(), reload=True)

    def test_settings_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Address and port come from the environment."""
        monkeypatch.setenv("APPRAISER_UI_PORT", "28501")
        monkeypatch.setenv("APPRAISER_UI_HOST", "0.0.0.0")  # noqa: S104 - what a container sets
        assert {"--server.address=0.0.0.0", "--server.port=28501"} <= set(command(Settings(), reload=False))

    def test_an_address_without_a_scheme_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A wrong address of the API stops the start, not the first visitor."""
        monkeypatch.setenv("APPRAISER_API_URL", "localhost")
        with pytest.raises(ValidationError, match="api_url"):
            Settings()


class TestConfiguration:
    """The settings that never change."""

    def test_no_telemetry_no_prompt_no_details(self) -> None:
        """Nothing is reported, nothing is asked at the terminal, no stack trace reaches the browser."""
        config = tomllib.loads((SCRIPT.parent / ".streamlit" / "config.toml").read_text())
        assert config["browser"]["gatherUsageStats"] is False
        assert config["server"]["headless"] is True
        assert config["server"]["showEmailPrompt"] is False
        assert config["client"]["showErrorDetails"] == "none"
