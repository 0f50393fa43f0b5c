"""The workflows: clean under their checkers, with few rights, and made of commands that this repository has."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from appraiser_cli.affected import affected, workspace
from appraiser_cli.home import ROOT
from appraiser_cli.main import app
from appraiser_cli.workflows import check_workflows

FOLDER = ROOT / ".github" / "workflows"
TEXTS = {file.name: file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.yaml"))}
WORKFLOWS: dict[str, dict[str, Any]] = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
JOBS = {(name, job): content for name, flow in WORKFLOWS.items() for job, content in flow["jobs"].items()}
CI = WORKFLOWS["ci.yaml"]["jobs"]
CHECKED_BY_SCHEMA = ("vendor.github-workflows", "vendor.dependabot")


def runs(job: dict[str, Any]) -> str:
    """Everything that a job runs."""
    return "\n".join(step["run"] for step in job["steps"] if "run" in step)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of what lies below .github."""
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    return tmp_path


class TestCheckers:
    """What the checkers say."""

    def test_nothing(self) -> None:
        """actionlint, zizmor, the schemas and the check of commits find nothing."""
        told = check_workflows()
        assert {"commits of actions", "actionlint", "zizmor", "vendor.github-workflows", "vendor.dependabot"} == set(
            told
        )
        assert not any(told.values()), told

    def test_action_by_tag(self, repository: Path) -> None:
        """An action by tag is told with file, line and cure."""
        file = repository / ".github" / "workflows" / "ci.yaml"
        lines = [re.sub(r"(checkout@)[0-9a-f]{40} # v7.0.1", r"\1v7", line) for line in file.read_text().splitlines()]
        file.write_text("\n".join(lines))
        first = next(number for number, line in enumerate(lines, start=1) if "checkout@v7" in line)
        told = check_workflows(repository)["commits of actions"]
        assert told[0].file == f".github/workflows/ci.yaml:{first}"
        assert "actions/checkout" in told[0].problem
        assert "commit" in told[0].cure

    @pytest.mark.parametrize(
        ("before", "after", "checker"),
        [
            ("needs: changes\n", "needs: changs\n", "actionlint"),
            (
                'run: ./appraiser affected --base "$BASE"',
                "run: ./appraiser affected --base ${{ github.head_ref }}",
                "zizmor",
            ),
            ("timeout-minutes: 10", "timeout-minutes: soon", "vendor.github-workflows"),
        ],
    )
    def test_what_each_of_them_finds(self, repository: Path, before: str, after: str, checker: str) -> None:
        """A need that is no job, a branch's name in a shell, a word for a number: each is found by its checker."""
        file = repository / ".github" / "workflows" / "ci.yaml"
        assert before in file.read_text()
        file.write_text(file.read_text().replace(before, after, 1))
        assert check_workflows(repository)[checker]


class TestRights:
    """Who may do what."""

    @pytest.mark.parametrize("name", WORKFLOWS)
    def test_none_by_default(self, name: str) -> None:
        """A workflow has no right; each job names its own."""
        assert WORKFLOWS[name]["permissions"] == {}

    @pytest.mark.parametrize(("name", "job"), JOBS)
    def test_each_is_explained(self, name: str, job: str) -> None:
        """Behind every right of a job stands what it is for, and every job ends by itself."""
        rights = JOBS[name, job]["permissions"]
        for right, level in rights.items():
            assert re.search(rf"^ +{right}: {level} # to ", TEXTS[name], re.MULTILINE), right
        assert JOBS[name, job]["timeout-minutes"] <= 90

    def test_a_proposal_writes_nothing(self) -> None:
        """What runs for a pull request has no right to write, knows no secret and pushes no image."""
        writing = {job for job, content in CI.items() if "write" in content["permissions"].values()}
        assert writing == {"publish", "digests"}
        assert "github.event_name == 'push'" in CI["publish"]["if"]
        assert CI["digests"]["needs"] == "publish"
        for job in set(CI) - writing:
            assert "secrets." not in str(CI[job]), job
            assert "--push" not in runs(CI[job]), job
        assert not {"pull_request_target", "workflow_run"} & {key for flow in WORKFLOWS.values() for key in flow[True]}


class TestJobs:
    """What the jobs do."""

    def test_ci_ok_needs_every_job(self) -> None:
        """The one required check waits for all others, and always runs."""
        assert set(CI["ci-ok"]["needs"]) == set(CI) - {"ci-ok"}
        assert CI["ci-ok"]["if"] == "always()"

    @pytest.mark.parametrize(
        ("results", "code"),
        [
            ({"changes": "success", "tests": "success", "publish": "skipped"}, 0),
            ({"changes": "success", "tests": "failure"}, 1),
            ({"changes": "success", "tests": "cancelled"}, 1),
            ({"changes": "failure", "tests": "skipped"}, 1),
        ],
    )
    def test_ci_ok_is_red_when_one_is(self, results: dict[str, str], code: int) -> None:
        """Its own command, run here: skipped jobs are fine, but not where it could not be judged what to do."""
        if shutil.which("jq") is None:
            pytest.skip("no jq on this machine; GitHub's runners have it")
        given = str({name: {"result": result} for name, result in results.items()}).replace("'", '"')
        line = ["bash", "-euo", "pipefail", "-c", runs(CI["ci-ok"])]
        result = subprocess.run(line, env={"RESULTS": given, "PATH": "/usr/bin:/bin"}, capture_output=True, check=False)
        assert (result.returncode != 0) == bool(code)

    def test_only_commands_that_are_there(self) -> None:
        """Each './appraiser …' is a command with these options, and each script of .ci is there and may be run."""
        root = typer.main.get_command(app)
        found = 0
        for job in JOBS.values():
            text = re.sub(r"\\\n\s*", " ", runs(job))
            for line in re.findall(r"\./appraiser ([^|)>\n]*)", text):
                words = line.partition("$(")[0].replace('"', " ").split()
                command: Any = root
                while words and hasattr(command, "commands"):
                    assert words[0] in command.commands, line
                    command = command.commands[words.pop(0)]
                options = {option for parameter in command.params for option in parameter.opts}
                asked = {word.partition("=")[0] for word in words if word.startswith("--")}
                assert asked <= options, line
                found += 1
            for script in re.findall(r"(\.ci/[\w-]+)", text):
                assert (ROOT / script).stat().st_mode & 0o100, script
        assert found > 15

    def test_no_test_of_monitoring_is_skipped(self) -> None:
        """Whatever runs those tests installs both programs, and says that they must be there."""
        found = 0
        for name, job in JOBS.items():
            for step in job["steps"]:
                # One member's tests need neither.
                if re.search(r'appraiser test(?! --only-tests "\$MEMBER")', step.get("run", "")):
                    assert step["env"]["APPRAISER_REQUIRE_PROMETHEUS"] == "1", name
                    assert "prometheus prometheus-alertmanager" in runs(job), name
                    found += 1
        assert found == 3

    def test_matrix_is_what_affected_tells(self) -> None:
        """Outputs that the jobs read are fields of the judgement; a change in the schema builds all that use it."""
        fields = set(affected([], workspace()).as_dict())
        assert set(CI["changes"]["outputs"]) == fields - {"changed"}
        told = set(re.findall(r"needs\.changes\.outputs\.(\w+)", TEXTS["ci.yaml"]))
        assert told == set(CI["changes"]["outputs"])
        assert affected(["libs/schema/src/appraiser_schema/listing.py"], workspace()).images == (
            "feed",
            "airflow",
            "api",
            "ui",
        )
        assert affected(["README.md"], workspace()).images == ()

    def test_digest_comes_after_scan_and_signature(self) -> None:
        """What is handed on was pushed, scanned and signed before, in this order."""
        steps = [step.get("run", step.get("uses", "")) for step in CI["publish"]["steps"]]
        order = [
            next(i for i, text in enumerate(steps) if word in text)
            for word in ("--push", "scan", "cosign sign", "upload")
        ]
        assert order == sorted(order)
        build = next(text for text in steps if "--push" in text)
        assert {"--both", "--option=--sbom=true", "--option=--provenance=mode=max"} <= set(build.split())


class TestCommitDigests:
    """The script that pushes digests, on a real repository."""

    @pytest.fixture
    def clone(self, tmp_path: Path) -> Path:
        """A clone of a repository with this script and a file below gitops."""
        origin, clone = tmp_path / "origin.git", tmp_path / "clone"
        git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
        git(tmp_path, "clone", "--quiet", str(origin), str(clone))
        for folder in (".ci", "gitops"):
            (clone / folder).mkdir()
        shutil.copy(ROOT / ".ci" / "commit-digests", clone / ".ci")
        (clone / "gitops" / "digest").write_text("old\n")
        git(clone, "checkout", "--quiet", "-b", "main")
        git(clone, "add", ".")
        git(clone, "commit", "--quiet", "--message", "one")
        git(clone, "push", "--quiet", "origin", "main")
        return clone

    def test_pushes_once(self, clone: Path) -> None:
        """What the command wrote is on main; the same again pushes nothing."""
        write = ["sh", "-c", "echo new >gitops/digest"]
        assert "Run it" in commit_digests(clone, *write)
        assert git(clone, "show", "origin/main:gitops/digest") == "new"
        assert "already" in commit_digests(clone, *write)
        assert git(clone, "rev-list", "--count", "origin/main") == "2"

    def test_starts_again_where_main_moved_on(self, clone: Path) -> None:
        """A commit that came in between stays, and the command runs on top of it."""
        other = clone.parent / "other"
        git(clone.parent, "clone", "--quiet", str(clone.parent / "origin.git"), str(other))
        # The first time, somebody else pushes while the command works.
        meanwhile = (
            f"cd {other} && [ ! -f came ] && touch came && git add came && "
            "git -c user.name=o -c user.email=o@example.com commit -qm other && git push -q origin main; true"
        )
        said = commit_digests(clone, "sh", "-c", f"echo new >gitops/digest; ({meanwhile})")
        assert "moved on meanwhile (attempt 1)" in said
        assert git(clone, "log", "--format=%s", "origin/main").splitlines() == ["Run it", "other", "one"]


def git(folder: Path, *words: str) -> str:
    """Run git as nobody in particular."""
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
    line = ["git", "-C", str(folder), *who, *words]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()


def commit_digests(clone: Path, *command: str) -> str:
    """Run the script; give what it says."""
    line = [str(clone / ".ci" / "commit-digests"), "Run it", *command]
    result = subprocess.run(line, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout
