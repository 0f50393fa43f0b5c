"""The starter `./appraiser`: what it hands on to the program."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from appraiser_cli.home import ROOT


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    """The starter in a repository of its own, whose environment prints the variables that reach it."""
    shutil.copy(ROOT / "appraiser", tmp_path)
    for member in ("", "libs/one/", "apps/one/"):
        (tmp_path / member).mkdir(parents=True, exist_ok=True)
        (tmp_path / member / "pyproject.toml").touch()
    (tmp_path / ".python-version").write_text("3.12\n")
    for program, line in ((".uv/bin/uv", "true"), (".venv/bin/appraiser", "env")):
        file = tmp_path / program
        file.parent.mkdir(parents=True)
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(0o755)
    return tmp_path / "appraiser"


class TestStarter:
    """Whoever calls it may have set up another Python."""

    @pytest.mark.parametrize("name", ["VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE"])
    def test_the_callers_python(self, starter: Path, name: str) -> None:
        """None of it reaches ours; without compiled modules, say, each service would start three times as slowly."""
        started = subprocess.run(
            [starter], env=os.environ | {name: "1", "KEPT": "1"}, capture_output=True, text=True, check=True
        )
        names = {line.partition("=")[0] for line in started.stdout.splitlines()}
        assert "KEPT" in names
        assert name not in names
