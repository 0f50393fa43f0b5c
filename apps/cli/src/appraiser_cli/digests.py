"""The digests that a cluster runs: written below gitops/ once a registry has shown that it has them, never before.

A tag is written before a push has ended, and moves; a digest can do neither. Both architectures must be there, or a
node of the other one could not start what it pulled.
"""

import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appraiser_cli.affected import affected, changed_files, workspace
from appraiser_cli.errors import CliError, UsageError
from appraiser_cli.home import ROOT
from appraiser_cli.images import PLATFORMS
from appraiser_cli.locks import IMAGES

OVERLAYS: Final = ("dev", "prod")
UNKNOWN: Final = "sha256:" + "0" * 64
"""Stands where nobody has looked yet."""

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_ENTRY: Final = re.compile(
    r"- name: (?P<name>\S+)\n\s+newName: (?P<repository>\S+)\n\s+newTag: \"?(?P<tag>[^\s\"]+)\"?\n"
    r"\s+digest: (?P<digest>\S+)"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a registry has under a name.

    Attributes:
        digest: Of the index that lists its architectures, or of its one manifest.
        platforms: Such as 'linux/arm64'; empty where it is for one only, which the registry does not name here.
    """

    digest: str
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pinned:
    """An image that an overlay runs."""

    name: str
    repository: str
    tag: str
    digest: str

    @property
    def reference(self) -> str:
        """Its address by digest."""
        return f"{self.repository}@{self.digest}"


type Inspect = Callable[[str], Found]


def inspect(reference: str) -> Found:
    """Ask the registry of an image, with the rights that Docker has there.

    Args:
        reference: Its full name with tag or digest.

    Raises:
        CliError: The registry does not have it, or does not say so.
    """
    line = ["docker", "buildx", "imagetools", "inspect", "--format", "{{json .Manifest}}", reference]
    try:
        result = subprocess.run(line, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise CliError("Docker with buildx is needed to ask a registry, and was not found.") from None
    if result.returncode:
        raise CliError(
            f"the registry does not show {reference!r}: {result.stderr.strip()}. Push it first, and log in with "
            "'docker login' where it is private."
        )
    manifest: dict[str, Any] = json.loads(result.stdout)
    platforms = (each.get("platform", {}) for each in manifest.get("manifests", []))
    named = tuple(f"{each.get('os')}/{each.get('architecture')}" for each in platforms)
    return Found(manifest["digest"], tuple(sorted({name for name in named if not name.startswith("unknown")})))


def parse_digests(texts: Sequence[str]) -> dict[str, str]:
    """Read arguments such as 'api=sha256:…'.

    Raises:
        UsageError: An image is unknown, or a digest is none.
    """
    digests = {}
    for text in texts:
        image, _, digest = text.strip().partition("=")
        if image not in IMAGES or not _DIGEST.fullmatch(digest) or digest == UNKNOWN:
            raise UsageError(f"{text!r} is not IMAGE=sha256:<64 digits>; images are {', '.join(IMAGES)}.")
        digests[image] = digest
    return digests


def pinned(overlay: str, root: Path = ROOT) -> dict[str, Pinned]:
    """The images of an overlay, by name.

    Raises:
        UsageError: There is no such overlay.
    """
    text = _list(overlay, root).read_text(encoding="utf-8")
    return {found["name"]: Pinned(**found.groupdict()) for found in _ENTRY.finditer(text)}


def pin(overlay: str, digests: Mapping[str, str], root: Path = ROOT, ask: Inspect = inspect) -> list[Path]:
    """Write the digests of our own images into an overlay, each after the registry has shown it.

    Returns:
        The files that were changed; none where all digests stood there already.

    Raises:
        CliError: The registry does not have one, or has it for one architecture only; nothing is written then.
    """
    there = pinned(overlay, root)
    wanted = {f"appraiser-{image}": digest for image, digest in digests.items()}
    for name, digest in wanted.items():
        if name not in there:
            raise UsageError(f"{_list(overlay, root)} lists no image {name!r}; add it there.")
        _check(f"{there[name].repository}@{digest}", digest, ask)
    return _write(overlay, wanted, root)


def current(digests: Mapping[str, str], built_from: str, root: Path = ROOT) -> dict[str, str]:
    """Those images that nothing was changed of since they were built: a later commit builds the others again.

    Without this, of two builds that overlap the older one could have the last word.

    Args:
        digests: By image.
        built_from: Commit that they were built from.
        root: The repository.
    """
    later = affected(changed_files(built_from, root), workspace(root)).images
    return {image: digest for image, digest in digests.items() if image not in later}


def look_up(overlay: str, root: Path = ROOT, ask: Inspect = inspect) -> list[Path]:
    """Write the digests of everybody else's images, as their tags have them now; those that are known stay.

    Raises:
        CliError: A registry does not have one; nothing is written then.
    """
    unknown = {name: one for name, one in pinned(overlay, root).items() if one.digest == UNKNOWN and not _is_ours(name)}
    return _write(overlay, {name: ask(f"{one.repository}:{one.tag}").digest for name, one in unknown.items()}, root)


def promote(source: str, target: str, root: Path = ROOT, ask: Inspect = inspect) -> list[Path]:
    """Let one overlay run what another one runs: the digests of all images.

    Raises:
        UsageError: The source has a digest that nobody has looked up.
        CliError: A registry no longer has one; nothing is written then.
    """
    there, have = pinned(source, root), pinned(target, root)
    moved = {name: one.digest for name, one in there.items() if name in have and one.digest != have[name].digest}
    if unknown := [name for name, digest in moved.items() if digest == UNKNOWN]:
        raise UsageError(f"nobody has looked up {', '.join(unknown)} of {source} yet; pin it there first.")
    for name, digest in moved.items():
        _check(there[name].reference, digest, ask, both=_is_ours(name))
    return _write(target, moved, root)


def tag(overlay: str, text: str, root: Path = ROOT) -> list[str]:
    """Give the images of ours that an overlay runs another tag in their registry, without building anything.

    Returns:
        Their names with that tag.

    Raises:
        CliError: The registry refuses it.
    """
    ours = [one for name, one in pinned(overlay, root).items() if _is_ours(name)]
    names = [f"{one.repository}:{text.removeprefix('v')}" for one in ours]
    for one, name in zip(ours, names, strict=True):
        line = ["docker", "buildx", "imagetools", "create", "--tag", name, one.reference]
        result = subprocess.run(line, capture_output=True, text=True, check=False)
        if result.returncode:
            raise CliError(f"{one.reference!r} got no tag {text!r}: {result.stderr.strip()}")
    return names


def verify(overlay: str, root: Path = ROOT, ask: Inspect = inspect) -> list[str]:
    """What is wrong with the images of an overlay, in sentences: unknown, or gone from their registry."""
    problems = []
    for name, one in pinned(overlay, root).items():
        if one.digest == UNKNOWN:
            problems.append(f"{name}: nobody has looked up the digest of {one.repository}:{one.tag}.")
            continue
        try:
            _check(one.reference, one.digest, ask, both=_is_ours(name))
        except CliError as error:
            problems.append(f"{name}: {error}")
    return problems


def _check(reference: str, digest: str, ask: Inspect, *, both: bool = True) -> None:
    found = ask(reference)
    if found.digest != digest:
        raise CliError(f"the registry shows {found.digest} for {reference!r}.")
    if both and (absent := [name for name in PLATFORMS if name not in found.platforms]):
        raise CliError(
            f"{reference!r} has no image for {', '.join(absent)}: nodes of that kind could not start it. Build it with "
            "'./appraiser images build --both'."
        )


def _is_ours(name: str) -> bool:
    return name.removeprefix("appraiser-") in IMAGES


def _write(overlay: str, digests: Mapping[str, str], root: Path) -> list[Path]:
    chart = root / "gitops" / "services" / "airflow" / "overlays" / overlay / "values.yaml"
    changed = []
    for file in (_list(overlay, root), chart):
        if not file.exists():
            continue
        before = after = file.read_text(encoding="utf-8")
        for name, digest in digests.items():
            # In the list an image has a name, in the chart's values the end of its repository is one.
            place = re.compile(rf"((?:- name: |repository: \S+/){re.escape(name)}\n(?:(?!\s*- ).*\n)*?\s+digest: )\S+")
            after = place.sub(rf"\g<1>{digest}", after)
        if after != before:
            file.write_text(after, encoding="utf-8")
            changed.append(file)
    return changed


def _list(overlay: str, root: Path) -> Path:
    if overlay not in OVERLAYS:
        raise UsageError(f"there is no overlay {overlay!r}; those there are: {', '.join(OVERLAYS)}.")
    return root / "gitops" / "images" / overlay / "kustomization.yaml"
