"""A base image like python:3.12-slim where no registry can be reached: Debian by debootstrap, and this Python."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

BASE: Final = "localhost/appraiser-test-python:3.12"
_LIBRARIES: Final = (
    *("ca-certificates", "libbz2-1.0", "libexpat1", "libffi8", "liblzma5", "libncursesw6", "libreadline8"),
    *("libsqlite3-0", "libssl3", "libuuid1", "netbase", "tzdata", "zlib1g"),
)
"""What Python's own modules are linked with; the same as in the official image, and no compiler."""


def is_there() -> bool:
    """Whether the image was made before."""
    return run("buildah", "images", "--quiet", BASE, check=False) != ""


def make(folder: Path) -> None:
    """Make the image.

    Args:
        folder: Where its files are put together; needs 300 MB.
    """
    root = folder / "root"
    run("debootstrap", "--variant=minbase", f"--include={','.join(_LIBRARIES)}", "bookworm", str(root))
    for waste in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man"):
        shutil.rmtree(root / waste, ignore_errors=True)
    _copy_python(Path(sys.base_prefix), root / "usr" / "local")
    run("chroot", str(root), "/sbin/ldconfig")
    container = run("buildah", "from", "scratch")
    run("buildah", "add", "--quiet", container, str(root), "/")
    path = "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
    run("buildah", "config", "--env", path, "--env", "LANG=C.UTF-8", "--cmd", "python3", container)
    run("buildah", "commit", "--quiet", "--rm", "--format=docker", container, BASE)
    shutil.rmtree(root)


def run(*line: str, check: bool = True) -> str:
    """Run a program and give what it says."""
    result = subprocess.run(line, capture_output=True, text=True, check=False)
    assert not check or result.returncode == 0, f"{' '.join(line)}: {result.stdout[-2000:]}{result.stderr[-4000:]}"
    return result.stdout.strip()


def _copy_python(prefix: Path, target: Path) -> None:
    """This Python without its tests, static library and installed packages but pip."""
    packages = "lib/python3.12/site-packages"
    skipped = shutil.ignore_patterns("test", "idlelib", "site-packages", "config-3.12-*", "__pycache__", "*.a", "share")
    shutil.copytree(prefix, target, symlinks=True, ignore=skipped, dirs_exist_ok=True)
    (target / packages).mkdir()
    for part in (prefix / packages).glob("pip*"):
        shutil.copytree(part, target / packages / part.name)
    for script in target.glob("bin/pip*"):
        script.unlink()
    pip = target / "bin" / "pip"
    pip.write_text('#!/bin/sh\nexec /usr/local/bin/python3 -m pip "$@"\n')
    pip.chmod(0o755)
