"""The exports in locks/: what each image installs, exact and hashed, without the address of any package index."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from appraiser_cli.errors import CliError
from appraiser_cli.home import ROOT

_BUILD: Final = "build"

_PINNED: Final = re.compile(r"^([A-Za-z0-9._-]+)==(\S+?)(?: |;|$)", re.MULTILINE)

EXPORTS: Final[dict[str, tuple[str, ...]]] = {
    "feed": ("--package", "appraiser-feed"),
    "airflow": ("--package", "appraiser-pipeline"),
    "mlflow": ("--only-group", "mlflow"),
    "api": ("--package", "appraiser-api"),
    "ui": ("--package", "appraiser-ui"),
    _BUILD: ("--only-group", "build"),
}
"""Selection of packages by image, and what builds the members' wheels in each. The members come from their folders."""

IMAGES: Final = tuple(name for name in EXPORTS if name != _BUILD)

_OPTIONS: Final = ("--no-emit-workspace", "--no-header", "--no-annotate", "--no-dev", "--format", "requirements-txt")


def write_locks(folder: Path = ROOT / "locks") -> list[Path]:
    """Write every export that has changed.

    Returns:
        The files that were written.
    """
    folder.mkdir(exist_ok=True)
    written = []
    for name in EXPORTS:
        path, text = folder / f"{name}.txt", export(name)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def check_locks(folder: Path = ROOT / "locks") -> list[str]:
    """Names of the exports that are missing, superfluous, or differ from what the workspace resolves to."""
    found = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.txt")}
    names = sorted({*found, *EXPORTS})
    return [name for name in names if name not in EXPORTS or found.get(name) != export(name)]


@dataclass(frozen=True, slots=True)
class Differing:
    """A package that is installed here in another version than an image installs.

    Attributes:
        image: Which one.
    """

    package: str
    found: str
    locked: str
    image: str


def differing_from_locks(folder: Path = ROOT / "locks") -> list[Differing]:
    """What is installed here and differs from the exports; what an image alone has is passed over."""
    found: dict[str, Differing] = {}
    for path in sorted(folder.glob("*.txt")):
        for package, locked in _PINNED.findall(path.read_text(encoding="utf-8")):
            try:
                installed = version(package)
            except PackageNotFoundError:
                continue
            if installed != locked:
                found.setdefault(package, Differing(package, installed, locked, path.stem))
    return list(found.values())


def export(name: str) -> str:
    """The pinned requirements of an image.

    Raises:
        CliError: uv is missing or cannot resolve the workspace.
    """
    command = [uv(), "export", "--project", str(ROOT), *EXPORTS[name], *_OPTIONS, "--quiet"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode:
        raise CliError(f"uv cannot export {name}: {result.stderr.strip()}")
    return result.stdout


def resolve_until(day: date, root: Path = ROOT) -> None:
    """Resolve the workspace as of another day, and write the day where it is fixed.

    Raises:
        CliError: Nothing fits together as of that day; the day is what it was then.
    """
    file = root / "pyproject.toml"
    before = file.read_text(encoding="utf-8")
    after, found = re.subn(
        r'^(exclude-newer = ")[^"]*', rf"\g<1>{day.isoformat()}T00:00:00Z", before, flags=re.MULTILINE
    )
    if found != 1:
        raise CliError(f"{file} fixes no day with exclude-newer in [tool.uv].")
    file.write_text(after, encoding="utf-8")
    line = [uv(), "lock", "--upgrade", "--project", str(root), "--python", sys.executable, "--quiet"]
    result = subprocess.run(line, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode:
        file.write_text(before, encoding="utf-8")
        raise CliError(f"nothing fits together as of {day}: {result.stderr.strip()}")


def uv() -> str:
    """Path of uv: the one that the launcher brought, else the one on the path.

    Raises:
        CliError: There is none.
    """
    own = ROOT / ".uv" / "bin" / "uv"
    found = str(own) if os.access(own, os.X_OK) else shutil.which("uv")
    if found is None:
        raise CliError("uv was not found; start this command with ./appraiser, which brings it.")
    return found
