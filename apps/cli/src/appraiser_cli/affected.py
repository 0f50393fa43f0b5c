"""What a change affects: the members to check, the images to build, and what else has to be looked at.

A path filter alone misses who uses what was changed; so the answer comes from the workspace's own dependencies.
"""

import re
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from appraiser_cli.errors import UsageError
from appraiser_cli.home import ROOT
from appraiser_cli.locks import IMAGES

_EVERYTHING: Final = {"pyproject.toml", ".python-version"}
_EVERY_IMAGE: Final = {".dockerignore", "locks/build.txt"}
_EVERY_TEST: Final = {"appraiser", "conftest.py"}
_NOTHING: Final = {"LICENSE", ".gitignore", ".gitattributes", ".editorconfig"}


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the workspace.

    Attributes:
        name: As in its pyproject.toml.
        folder: Relative to the repository, such as 'apps/api'.
        needs: Names of the members that it depends on itself.
    """

    name: str
    folder: str
    needs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Affected:
    """What a change calls for.

    Attributes:
        changed: Files that were changed, relative to the repository.
        members: Folders of the members whose checks must run.
        images: Images that must be built.
        joint: Whether the tests that join members must run.
        manifests: Whether the manifests must be checked.
        workflows: Whether the workflows must be checked.
    """

    changed: tuple[str, ...]
    members: tuple[str, ...]
    images: tuple[str, ...]
    joint: bool
    manifests: bool
    workflows: bool

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)


def changed_files(base: str, root: Path = ROOT) -> tuple[str, ...]:
    """Files that differ between the working tree and the point where it left `base`.

    New ones count, and of a moved one both names.

    Raises:
        UsageError: `base` is no revision of this repository.
    """
    if base.startswith("-"):
        raise UsageError(f"{base!r} is no revision")
    if base and not base.strip("0"):
        # What GitHub names as the commit before the first push of a branch: everything is new.
        return tuple(sorted(name for name in _git(root, "ls-files", "-z").split("\0") if name))
    fork = _git(root, "merge-base", base, "HEAD").strip()
    differing = _git(root, "diff", "--name-only", "--no-renames", "-z", fork)
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return tuple(sorted({name for name in (differing + new).split("\0") if name}))


def workspace(root: Path = ROOT) -> tuple[Member, ...]:
    """The members, by folder."""
    files = sorted(root.glob("libs/*/pyproject.toml")) + sorted(root.glob("apps/*/pyproject.toml"))
    described = [(file, tomllib.loads(file.read_text(encoding="utf-8"))) for file in files]
    names = {content["project"]["name"] for _, content in described}
    return tuple(
        Member(
            name=content["project"]["name"],
            folder=file.parent.relative_to(root).as_posix(),
            needs=frozenset(_needed(content) & names - {content["project"]["name"]}),
        )
        for file, content in described
    )


def affected(changed: Iterable[str], members: Iterable[Member]) -> Affected:
    """Judge a change.

    A member's code calls for its checks and those of every member that uses it, and for their images; its tests for its
    own checks only; prose for nothing. A file that no rule knows calls for everything: too much is built rather than
    too little.
    """
    changed, members = tuple(sorted(set(changed))), tuple(members)
    needs = {member.name: _all_needs(member, {m.name: m for m in members}) for member in members}
    by_folder = {member.folder: member for member in members}
    checked: set[str] = set()
    built: set[str] = set()
    flags = dict.fromkeys(("joint", "manifests", "workflows"), False)
    for name in changed:
        match _kind(name, by_folder):
            case "code", Member() as changed_member:
                users = {m.folder for m in members if changed_member.name in needs[m.name] | {m.name}}
                checked |= users
                built |= {image for image in IMAGES if f"apps/{image}" in users}
            case "tests", Member() as tested:
                checked.add(tested.folder)
            case "image", str(image):
                built.add(image)
                checked |= {f"apps/{image}"} & set(by_folder)
            case "every image", _:
                built |= set(IMAGES)
            case "every test", _:
                checked |= set(by_folder)
            case "everything", _:
                checked |= set(by_folder)
                built |= set(IMAGES)
                flags.update(joint=True, manifests=True, workflows=True)
            case str(flag), None if flag in flags:
                flags[flag] = True
    flags["joint"] |= bool(checked or built)
    order = [member.folder for member in members]
    return Affected(
        changed=changed,
        members=tuple(folder for folder in order if folder in checked),
        images=tuple(image for image in IMAGES if image in built),
        **flags,
    )


def _kind(name: str, by_folder: Mapping[str, Member]) -> tuple[str, Member | str | None]:
    """What a file calls for, and for whom."""
    path = PurePosixPath(name)
    if path.suffix == ".md" or path.parts[0] == "docs" or name in _NOTHING:
        return "nothing", None
    member = by_folder.get("/".join(path.parts[:2]))
    if member is not None:
        return ("tests" if path.parts[2] == "tests" else "code"), member
    if path.parts[0] == "locks" and path.stem in IMAGES:
        return "image", path.stem
    if path.parts[0] == "apps" and len(path.parts) > 2 and path.parts[1] in IMAGES:
        return "image", path.parts[1]
    return _of_the_root(name, path.parts[0]), None


def _of_the_root(name: str, first: str) -> str:
    folders = {
        "tests": "joint", "bench": "joint", "gitops": "manifests", "compose": "manifests", ".github": "workflows",
        ".ci": "every test", "images": "every image",
    }  # fmt: skip
    if name == "compose.yaml":
        return "manifests"
    if name in _EVERY_IMAGE:
        return "every image"
    if name in _EVERY_TEST:
        return "every test"
    return "everything" if name in _EVERYTHING else folders.get(first, "everything")


def _needed(content: Mapping[str, Any]) -> set[str]:
    project = content["project"]
    groups = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    return {re.split(r"[\s\[<>=!~;]", line, maxsplit=1)[0] for group in groups for line in group}


def _all_needs(member: Member, by_name: Mapping[str, Member]) -> set[str]:
    found: set[str] = set()
    waiting = set(member.needs)
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= by_name[name].needs - found
    return found


def _git(root: Path, *words: str) -> str:
    result = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)  # noqa: S607
    if result.returncode:
        raise UsageError(
            f"git cannot tell what changed: {result.stderr.strip()}; name a revision of this repository, such as main, "
            "and fetch its history"
        )
    return result.stdout
