"""Notes of a release, and the day up to which packages are taken."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from appraiser_cli.errors import CliError, NotThereError
from appraiser_cli.home import ROOT
from appraiser_cli.locks import resolve_until
from appraiser_cli.release import notes

CHANGELOG = """# Changelog

## Unreleased

### Added
- Something else.

## 1.2.0 - 2026-11-30

### Added
- A thing.

## 1.1.0 - 2026-10-30

- An old thing.
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A changelog and the images of production."""
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    shutil.copytree(ROOT / "gitops" / "images", tmp_path / "gitops" / "images")
    return tmp_path


class TestNotes:
    """What is told of a release."""

    def test_its_own_part_and_its_images(self, repository: Path) -> None:
        """Only what stands under the version, and each of our images by digest."""
        told = notes("v1.2.0", root=repository)
        assert told.startswith("### Added\n- A thing.\n\n### Images\n")
        assert "Something else" not in told
        assert "old thing" not in told
        assert told.count("appraiser-") == 5
        assert "@sha256:" in told

    def test_no_part(self, repository: Path) -> None:
        """A version that nothing is told of is no release, and the error says what to do."""
        with pytest.raises(NotThereError, match=r"'2\.0\.0'.*heading"):
            notes("2.0.0", root=repository)


class TestResolveUntil:
    """Moving the day on."""

    @pytest.fixture
    def workspace(self, tmp_path: Path) -> Path:
        """A project without dependencies, resolved up to a day; it needs no index."""
        head = '[project]\nname = "one"\nversion = "1"\nrequires-python = "==3.12.*"\n'
        (tmp_path / "pyproject.toml").write_text(f'{head}[tool.uv]\nexclude-newer = "2026-01-01T00:00:00Z"\n')
        return tmp_path

    def test_writes_the_day(self, workspace: Path) -> None:
        """The day stands where it is fixed, and the lock is of that day."""
        resolve_until(date(2026, 2, 3), workspace)
        assert 'exclude-newer = "2026-02-03T00:00:00Z"' in (workspace / "pyproject.toml").read_text()
        assert "2026-02-03" in (workspace / "uv.lock").read_text()

    def test_leaves_it_where_nothing_fits(self, workspace: Path) -> None:
        """A resolution that fails changes nothing."""
        file = workspace / "pyproject.toml"
        file.write_text(file.read_text().replace("==3.12.*", "nonsense"))
        before = file.read_text()
        with pytest.raises(CliError, match="2026-02-03"):
            resolve_until(date(2026, 2, 3), workspace)
        assert file.read_text() == before
