"""The launcher, run by a real shell."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appraiser_cli.home import ROOT

LAUNCHER = ROOT / "appraiser"
SHELL = shutil.which("sh") or "/bin/sh"


def launch(launcher: Path, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a launcher from a folder, with an environment that has nothing else in it."""
    return subprocess.run(
        [str(launcher), *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with blanks in its path: members without dependencies, and an environment that answers."""
    root = tmp_path / "a clone"
    for folder in ("libs/one", "apps/two", "bin"):
        (root / folder).mkdir(parents=True)
        (root / folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (root / "pyproject.toml").write_text("[tool.uv]\n")
    (root / ".python-version").write_text("3.12\n")
    shutil.copy(LAUNCHER, root / "appraiser")
    return root


def put_program(path: Path, script: str) -> None:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{SHELL}\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def uv(clone: Path) -> Path:
    """A program in the place of uv that makes an environment whose command tells its arguments and variables."""
    path = clone / "bin" / "uv"
    made = "mkdir -p .venv/bin; cp bin/command .venv/bin/appraiser"
    put_program(clone / "bin" / "command", 'echo "args: $*; venv: ${VIRTUAL_ENV-unset}"')
    version = 'if [ "$1" = --version ]; then echo "uv 0.10.2 (abc 2026-01-01)"; exit; fi'
    put_program(path, f'{version}; echo "uv $*" >>"{clone}/calls"; cd "{clone}"; {made}')
    return path


class TestLauncher:
    """`./appraiser` in a small clone, with a program in the place of uv."""

    def test_first_start_makes_the_environment(self, clone: Path, uv: Path) -> None:
        """The environment is made with every member, and the command gets its arguments as they were."""
        result = launch(
            clone / "appraiser", "models", "a b", cwd=clone, PATH=f"{uv.parent}:{os.environ['PATH']}", HOME=""
        )
        assert result.returncode == 0, result.stderr
        assert result.stdout == "args: models a b; venv: unset\n"
        assert "sync" in (clone / "calls").read_text()
        assert "--all-packages" in (clone / "calls").read_text()

    def test_later_start_asks_nobody(self, clone: Path, uv: Path) -> None:
        """An environment that is current is used as it is, without uv, and nothing is said about it."""
        path = f"{uv.parent}:{os.environ['PATH']}"
        launch(clone / "appraiser", cwd=clone, PATH=path, HOME=str(clone))
        (clone / "calls").unlink()
        result = launch(clone / "appraiser", cwd=clone, PATH=path, HOME=str(clone))
        assert not (clone / "calls").exists()
        assert result.stderr == ""

    @pytest.mark.parametrize("changed", ["pyproject.toml", "libs/one/pyproject.toml", ".python-version"])
    def test_changed_declaration_is_noticed(self, clone: Path, uv: Path, changed: str) -> None:
        """A change to what the environment depends on brings it up to date again."""
        path = f"{uv.parent}:{os.environ['PATH']}"
        launch(clone / "appraiser", cwd=clone, PATH=path, HOME=str(clone))
        with (clone / changed).open("a") as file:
            file.write("# changed\n")
        launch(clone / "appraiser", cwd=clone, PATH=path, HOME=str(clone))
        assert len((clone / "calls").read_text().splitlines()) == 2

    def test_link_from_elsewhere_finds_the_repository(self, clone: Path, uv: Path, tmp_path: Path) -> None:
        """A link in another folder, called from a third, starts the repository's own environment."""
        link = tmp_path / "bin" / "appraiser"
        link.parent.mkdir()
        link.symlink_to(os.path.relpath(clone / "appraiser", link.parent))
        result = launch(
            link, "status", cwd=Path("/"), PATH=f"{uv.parent}:{os.environ['PATH']}", HOME="", VIRTUAL_ENV="/x"
        )
        assert result.stdout == "args: status; venv: unset\n"

    def test_failed_environment_is_told(self, clone: Path) -> None:
        """When uv fails, the exit code is 1 and a sentence says so; nothing is taken for current."""
        version = 'if [ "$1" = --version ]; then echo "uv 0.9.5"; exit; fi'
        put_program(clone / "bin" / "uv", f"{version}; echo no route >&2; exit 2")
        result = launch(clone / "appraiser", cwd=clone, PATH=f"{clone}/bin:{os.environ['PATH']}", HOME=str(clone))
        assert result.returncode == 1
        assert "no route" in result.stderr
        assert "could not be made" in result.stderr
        assert not (clone / ".venv" / ".appraiser-stamp").exists()

    def test_python_without_venv_is_told(self, clone: Path, tmp_path: Path) -> None:
        """Without uv, and with a Python that cannot make environments, it says what to install."""
        tools = tmp_path / "tools"
        tools.mkdir()
        for name in ("dirname", "readlink", "cat", "cksum", "rm", "sh"):
            found = shutil.which(name)
            assert found
            (tools / name).symlink_to(found)
        put_program(tools / "python3", "exit 1")
        result = launch(clone / "appraiser", cwd=clone, PATH=str(tools), HOME=str(clone))
        assert result.returncode == 1
        assert "python3-venv" in result.stderr
        (tools / "python3").unlink()
        result = launch(clone / "appraiser", cwd=clone, PATH=str(tools), HOME=str(clone))
        assert "neither uv nor python3" in result.stderr

    @pytest.mark.parametrize("version", ["0.8.22", "0.1.45", "1.0.0"])
    def test_uv_of_another_range_is_not_used(self, clone: Path, version: str) -> None:
        """A uv that is too old or too new is left alone, and one of the right range is brought."""
        put_program(clone / "bin" / "uv", f'echo "uv {version}"')
        put_program(clone / "bin" / "python3", f'echo "$*" >>"{clone}/brought"; exit 1')
        result = launch(clone / "appraiser", cwd=clone, PATH=f"{clone}/bin:{os.environ['PATH']}", HOME=str(clone))
        assert result.returncode == 1
        assert "import ensurepip" in (clone / "brought").read_text()

    def test_real_environment_answers(self, tmp_path: Path) -> None:
        """The repository's own launcher starts the command from any folder, without a home."""
        result = launch(LAUNCHER, "--help", cwd=tmp_path, PATH=os.environ["PATH"])
        assert result.returncode == 0, result.stderr
        assert "check-data" in result.stdout

    def test_usage_error_is_code_two(self, tmp_path: Path) -> None:
        """An unknown command is a usage error without a traceback."""
        command = [sys.executable, "-m", "appraiser_cli", "no-such-command"]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert result.returncode == 2
        assert "Traceback" not in result.stderr
