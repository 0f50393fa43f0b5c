"""What a change calls for, over this workspace and over a repository of its own."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from appraiser_cli.affected import IMAGES, Affected, affected, changed_files, workspace
from appraiser_cli.errors import UsageError

type Run = Callable[..., Result]

MEMBERS = workspace()
FOLDERS = tuple(member.folder for member in MEMBERS)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit on main and a branch that leaves it."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / "kept.py").write_text("kept = True\n")
    (tmp_path / "libs" / "moved.py").write_text("moved = 'with enough in it to be recognised'\n")
    commit(tmp_path, "first")
    git(tmp_path, "switch", "--quiet", "--create", "branch")
    return tmp_path


def git(folder: Path, *words: str) -> None:
    """Run git as nobody in particular."""
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)  # noqa: S607


def commit(folder: Path, message: str) -> None:
    """Commit all that is there."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


class TestWorkspace:
    """The members and what they need."""

    def test_holds_every_member(self) -> None:
        """Four libraries and five apps, by folder."""
        assert sorted(FOLDERS) == [
            *("apps/airflow", "apps/api", "apps/cli", "apps/feed", "apps/ui"),
            *("libs/features", "libs/model", "libs/schema", "libs/store"),
        ]

    def test_reads_the_needs_of_extras(self) -> None:
        """A dependency with an extra in brackets counts."""
        needs = {member.name: member.needs for member in MEMBERS}
        assert needs["appraiser-pipeline"] == {"appraiser-schema", "appraiser-model", "appraiser-store"}
        assert needs["appraiser-schema"] == frozenset()


class TestAffected:
    """What one changed file calls for."""

    @pytest.mark.parametrize(
        ("file", "members", "images"),
        [
            ("libs/schema/src/appraiser_schema/listing.py", set(FOLDERS), {"feed", "airflow", "api", "ui"}),
            (
                "libs/features/src/appraiser_features/encoder.py",
                {"libs/features", "libs/model", "apps/airflow", "apps/api", "apps/cli"},
                {"airflow", "api"},
            ),
            (
                "libs/model/src/appraiser_model/train.py",
                {"libs/model", "apps/airflow", "apps/api", "apps/cli"},
                {"airflow", "api"},
            ),
            ("libs/store/pyproject.toml", {"libs/store", "apps/airflow", "apps/api", "apps/cli"}, {"airflow", "api"}),
            ("apps/feed/src/appraiser_feed/app.py", {"apps/feed"}, {"feed"}),
            ("apps/airflow/dags/house_price_pipeline.py", {"apps/airflow"}, {"airflow"}),
            ("apps/api/src/appraiser_api/main.py", {"apps/api"}, {"api"}),
            ("apps/ui/src/appraiser_ui/app.py", {"apps/ui"}, {"ui"}),
            ("apps/cli/src/appraiser_cli/up.py", {"apps/cli"}, set()),
            ("apps/api/tests/test_api.py", {"apps/api"}, set()),
            ("locks/ui.txt", {"apps/ui"}, {"ui"}),
            ("locks/mlflow.txt", set(), {"mlflow"}),
            ("locks/build.txt", set(), set(IMAGES)),
            ("apps/api/Dockerfile", {"apps/api"}, {"api"}),
            ("apps/mlflow/Dockerfile", set(), {"mlflow"}),
            ("images/dependencies", set(), set(IMAGES)),
            (".dockerignore", set(), set(IMAGES)),
            ("pyproject.toml", set(FOLDERS), set(IMAGES)),
            ("conftest.py", set(FOLDERS), set()),
            ("something_new/file.bin", set(FOLDERS), set(IMAGES)),
            ("README.md", set(), set()),
            ("libs/schema/README.md", set(), set()),
            ("docs/decisions/0001-one-resolution-pinned-by-date.md", set(), set()),
            ("gitops/services/api/values.yaml", set(), set()),
            (".github/workflows/ci.yaml", set(), set()),
            ("compose.yaml", set(), set()),
        ],
    )
    def test_follows_the_use_of_a_file(self, file: str, members: set[str], images: set[str]) -> None:
        """Members that use what was changed, through others too, and their images; no other."""
        found = affected([file], MEMBERS)
        assert set(found.members) == members
        assert set(found.images) == images

    @pytest.mark.parametrize(
        ("file", "flags"),
        [
            ("README.md", set()),
            ("tests/contract/test_openapi.py", {"joint"}),
            ("bench/quality.py", {"joint"}),
            ("apps/ui/tests/test_page.py", {"joint"}),
            ("gitops/bootstrap/root.yaml", {"manifests"}),
            ("compose.yaml", {"manifests"}),
            ("compose/databases.sh", {"manifests"}),
            (".github/workflows/ci.yaml", {"workflows"}),
            ("pyproject.toml", {"joint", "manifests", "workflows"}),
        ],
    )
    def test_says_what_else_to_look_at(self, file: str, flags: set[str]) -> None:
        """Joint tests wherever code is touched; manifests and workflows by their own files."""
        found = affected([file], MEMBERS)
        assert {name for name in ("joint", "manifests", "workflows") if getattr(found, name)} == flags

    def test_adds_up_what_several_files_call_for(self) -> None:
        """Two changes call for what each calls for."""
        found = affected(["apps/ui/src/appraiser_ui/app.py", "locks/feed.txt", "README.md"], MEMBERS)
        assert (found.members, found.images) == (("apps/feed", "apps/ui"), ("feed", "ui"))

    def test_nothing_changed_calls_for_nothing(self) -> None:
        """No file, no work."""
        assert affected([], MEMBERS) == Affected((), (), (), joint=False, manifests=False, workflows=False)


class TestChangedFiles:
    """What git says was changed."""

    def test_counts_committed_edited_new_and_both_names_of_moved(self, repository: Path) -> None:
        """Everything since the branch left, whether committed or not."""
        (repository / "libs" / "committed file.py").write_text("")
        git(repository, "mv", "libs/moved.py", "libs/arrived.py")
        commit(repository, "second")
        (repository / "libs" / "kept.py").write_text("kept = False\n")
        (repository / "new.txt").write_text("")
        expected = ("libs/arrived.py", "libs/committed file.py", "libs/kept.py", "libs/moved.py", "new.txt")
        assert changed_files("main", repository) == expected

    def test_everything_is_new_at_the_first_push(self, repository: Path) -> None:
        """GitHub names zeros where a branch was not there before."""
        assert changed_files("0" * 40, repository) == ("libs/kept.py", "libs/moved.py")

    def test_leaves_out_what_the_base_did_since(self, repository: Path) -> None:
        """A later commit on the base is no change of this branch."""
        git(repository, "switch", "--quiet", "main")
        (repository / "later.py").write_text("")
        commit(repository, "later")
        git(repository, "switch", "--quiet", "branch")
        assert changed_files("main", repository) == ()

    @pytest.mark.parametrize("base", ["no-such-branch", "--output=stolen.txt"])
    def test_refuses_what_is_no_revision(self, repository: Path, base: str) -> None:
        """The error names what was asked for, and nothing is written."""
        with pytest.raises(UsageError, match=base):
            changed_files(base, repository)
        assert not (repository / "stolen.txt").exists()


class TestCommand:
    """The command prints what was judged."""

    def test_prints_json(self, appraiser: Run) -> None:
        """All fields, for a matrix to be built from."""
        result = appraiser("affected", "--base", "HEAD", "--json")
        assert result.exit_code == 0
        assert set(json.loads(result.stdout)) == {"changed", "members", "images", "joint", "manifests", "workflows"}

    def test_prints_outputs_of_a_job(self, appraiser: Run) -> None:
        """Each line is a name and what JSON calls its value, the same as above; a matrix is read off it."""
        told = appraiser("affected", "--base", "HEAD", "--github").stdout.splitlines()
        whole = json.loads(appraiser("affected", "--base", "HEAD", "--json").stdout)
        pairs = (line.split("=", maxsplit=1) for line in told)
        assert {name: json.loads(value) for name, value in pairs} == {k: v for k, v in whole.items() if k != "changed"}
