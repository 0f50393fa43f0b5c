"""Digests come into gitops/ after the registry has shown them, all or none, and call for no further build."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from appraiser_cli.affected import affected, workspace
from appraiser_cli.digests import (
    UNKNOWN,
    Found,
    current,
    inspect,
    look_up,
    parse_digests,
    pin,
    pinned,
    promote,
    tag,
    verify,
)
from appraiser_cli.errors import CliError, UsageError
from appraiser_cli.home import ROOT
from appraiser_cli.locks import IMAGES

BOTH = ("linux/amd64", "linux/arm64")
NEW, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64


class Registry:
    """Answers as a registry would that has certain images."""

    def __init__(self, *digests: str, platforms: tuple[str, ...] = BOTH) -> None:
        self.digests = set(digests)
        self.platforms = platforms
        self.asked: list[str] = []

    def __call__(self, reference: str) -> Found:
        """What is there under a name; by tag, the first of all."""
        self.asked.append(reference)
        digest = reference.rpartition("@")[2] if "@" in reference else min(self.digests, default="")
        if digest not in self.digests:
            raise CliError(f"the registry does not show {reference!r}")
        return Found(digest, self.platforms)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The files of this repository that digests are written to, with none of ours known."""
    for part in ("images", "services/airflow/overlays"):
        shutil.copytree(ROOT / "gitops" / part, tmp_path / "gitops" / part)
    for file in tmp_path.rglob("*.yaml"):
        file.write_text(re.sub(r"sha256:[0-9a-f]{64}", UNKNOWN, file.read_text()))
    return tmp_path


def git(folder: Path, *words: str) -> str:
    """Run git as nobody in particular."""
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
    line = ["git", "-C", str(folder), *who, *words]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()


def content(root: Path) -> dict[str, str]:
    """Every file below gitops/."""
    return {str(file.relative_to(root)): file.read_text() for file in sorted(root.rglob("*.yaml"))}


class TestPin:
    """Writing the digests of our images."""

    def test_writes_what_was_shown(self, repository: Path) -> None:
        """The image's entry has the digest afterwards, the others and the other overlay are as before."""
        before, registry = content(repository), Registry(NEW)
        changed = pin("dev", {"api": NEW}, repository, registry)
        assert registry.asked == [f"ghcr.io/appraiser/appraiser-api@{NEW}"]
        after = content(repository)
        assert {name for name in after if after[name] != before[name]} == {"gitops/images/dev/kustomization.yaml"}
        assert [repository / "gitops/images/dev/kustomization.yaml"] == changed
        listed = yaml.safe_load(after["gitops/images/dev/kustomization.yaml"])["images"]
        assert {one["name"]: one["digest"] for one in listed if one["digest"] != UNKNOWN} == {"appraiser-api": NEW}

    def test_airflow_in_both_places(self, repository: Path) -> None:
        """The chart's values and the list name the same image of Airflow."""
        assert len(pin("dev", {"airflow": NEW}, repository, Registry(NEW))) == 2
        values = yaml.safe_load((repository / "gitops/services/airflow/overlays/dev/values.yaml").read_text())
        assert values["images"]["airflow"]["digest"] == pinned("dev", repository)["appraiser-airflow"].digest == NEW

    def test_again_writes_nothing(self, repository: Path) -> None:
        """The same digests once more change no file: nothing is left to commit."""
        pin("dev", {"api": NEW, "ui": OTHER}, repository, Registry(NEW, OTHER))
        assert pin("dev", {"api": NEW, "ui": OTHER}, repository, Registry(NEW, OTHER)) == []

    def test_all_or_none(self, repository: Path) -> None:
        """One image that is not there stops all of them: what runs together was built together."""
        before = content(repository)
        with pytest.raises(CliError, match="does not show"):
            pin("dev", {"api": NEW, "ui": OTHER}, repository, Registry(NEW))
        assert content(repository) == before

    def test_one_architecture_is_too_few(self, repository: Path) -> None:
        """An image that half of the nodes could not start is refused, with the architecture that is missing."""
        before = content(repository)
        with pytest.raises(CliError, match="linux/arm64"):
            pin("dev", {"api": NEW}, repository, Registry(NEW, platforms=("linux/amd64",)))
        assert content(repository) == before

    def test_calls_for_no_build(self, repository: Path) -> None:
        """What it writes affects manifests only: the commit with a digest builds no image, so it ends there."""
        changed = pin("dev", dict.fromkeys(IMAGES, NEW), repository, Registry(NEW))
        found = affected([str(file.relative_to(repository)) for file in changed], workspace())
        assert (found.images, found.members, found.manifests) == ((), (), True)

    @pytest.mark.parametrize("text", ["api", "api=latest", "api=sha256:abc", f"web={NEW}", f"api={UNKNOWN}"])
    def test_refuses_what_is_no_digest(self, text: str) -> None:
        """Tags, short digests, unknown images and zeros are wrong usage."""
        with pytest.raises(UsageError, match="IMAGE=sha256"):
            parse_digests([text])

    def test_refuses_an_unknown_overlay(self, repository: Path) -> None:
        """The error names the overlays that there are."""
        with pytest.raises(UsageError, match="dev, prod"):
            pin("staging", {"api": NEW}, repository, Registry(NEW))


class TestCurrent:
    """Which images are still those of the latest commit."""

    def test_leaves_out_what_was_changed_since(self, tmp_path: Path) -> None:
        """Of two builds that overlap the later commit has the last word on what it changed, and on nothing else."""
        root = tmp_path / "repository"
        (root / "apps").mkdir(parents=True)
        (root / "locks").mkdir()
        for app in ("api", "ui"):
            (root / "apps" / app).mkdir()
            (root / "apps" / app / "pyproject.toml").write_text(f'[project]\nname = "appraiser-{app}"\n')
        git(root, "init", "--quiet", "--initial-branch=main")
        git(root, "add", ".")
        git(root, "commit", "--quiet", "--message", "one")
        built = git(root, "rev-parse", "HEAD")
        (root / "apps" / "ui" / "page.py").write_text("")
        git(root, "add", ".")
        git(root, "commit", "--quiet", "--message", "two")
        assert current({"api": NEW, "ui": OTHER}, built, root) == {"api": NEW}
        assert current({"api": NEW, "ui": OTHER}, "HEAD", root) == {"api": NEW, "ui": OTHER}


class TestLookUp:
    """Writing the digests of everybody else's images."""

    def test_only_the_unknown_of_others(self, repository: Path) -> None:
        """Each gets the digest of its tag; ours, and those that are known, are left alone."""
        look_up("dev", repository, Registry(NEW))
        found = pinned("dev", repository)
        assert {one.digest for name, one in found.items() if name.startswith("appraiser-")} == {UNKNOWN}
        assert {one.digest for name, one in found.items() if not name.startswith("appraiser-")} == {NEW}
        assert look_up("dev", repository, Registry(OTHER)) == []


class TestPromote:
    """One overlay runs what another one ran."""

    def test_moves_every_digest(self, repository: Path) -> None:
        """All digests are the other's afterwards."""
        pin("dev", dict.fromkeys(IMAGES, NEW), repository, Registry(NEW))
        look_up("dev", repository, Registry(OTHER))
        promote("dev", "prod", repository, Registry(NEW, OTHER))
        ran, runs = pinned("dev", repository), pinned("prod", repository)
        assert {name: one.digest for name, one in runs.items()} == {name: ran[name].digest for name in runs}

    def test_refuses_what_nobody_has_looked_up(self, repository: Path) -> None:
        """An image without digest does not come into production."""
        pin("prod", {"api": NEW}, repository, Registry(NEW))
        with pytest.raises(UsageError, match="appraiser-api of dev"):
            promote("dev", "prod", repository, Registry(NEW))


class TestVerify:
    """What the registries still have."""

    def test_names_what_is_unknown_and_what_is_gone(self, repository: Path) -> None:
        """Each problem names the image; none where all are there."""
        pin("dev", dict.fromkeys(IMAGES, NEW), repository, Registry(NEW))
        problems = verify("dev", repository, Registry(OTHER))
        assert any(line.startswith("appraiser-api: the registry does not show") for line in problems)
        assert any(line.startswith("postgres: nobody has looked up") for line in problems)
        look_up("dev", repository, Registry(OTHER))
        assert verify("dev", repository, Registry(NEW, OTHER)) == []


class TestInspect:
    """Asking a registry by Docker's own command."""

    @pytest.fixture
    def docker(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A program of that name, that answers as Docker does, with what lies beside it."""
        program = tmp_path / "docker"
        program.write_text(
            f'#!/bin/sh\necho "$@" >{tmp_path}/asked\n[ -f {tmp_path}/answer ] || {{ echo "not found" >&2; exit 1; }}\n'
            f"cat {tmp_path}/answer\n"
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return tmp_path

    def test_reads_digest_and_platforms(self, docker: Path) -> None:
        """Attestations, whose platform is unknown, are no image for anybody."""
        platforms = [("linux", "arm64"), ("linux", "amd64"), ("unknown", "unknown")]
        listed = [{"platform": {"os": system, "architecture": kind}} for system, kind in platforms]
        (docker / "answer").write_text(json.dumps({"digest": NEW, "manifests": listed}))
        assert inspect(f"ghcr.io/appraiser/appraiser-api@{NEW}") == Found(NEW, BOTH)
        assert (
            (docker / "asked").read_text().startswith("buildx imagetools inspect --format {{json .Manifest}} ghcr.io")
        )

    def test_gives_another_tag(self, docker: Path, repository: Path) -> None:
        """Each of our images gets the version as a tag of the digest that runs; nothing is built."""
        pin("prod", dict.fromkeys(IMAGES, NEW), repository, Registry(NEW))
        (docker / "answer").write_text("")
        names = tag("prod", "v1.2.0", repository)
        assert names[-1] == "ghcr.io/appraiser/appraiser-ui:1.2.0"
        assert len(names) == len(IMAGES)
        asked = f"buildx imagetools create --tag {names[-1]} ghcr.io/appraiser/appraiser-ui@{NEW}\n"
        assert (docker / "asked").read_text() == asked

    def test_tells_what_is_not_there(self, docker: Path) -> None:
        """What Docker says is passed on, with what to do."""
        with pytest.raises(CliError, match=r"not found.*Push it first"):
            inspect("ghcr.io/appraiser/appraiser-api:9")
        assert (docker / "asked").exists()

    def test_tells_that_docker_is_missing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without Docker nothing can be asked, and the error says so."""
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(CliError, match="Docker with buildx is needed"):
            inspect("ghcr.io/appraiser/appraiser-api:9")
