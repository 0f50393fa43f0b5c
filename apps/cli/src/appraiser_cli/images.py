"""Building the images, with Docker or with buildah, and what came of it: size, layers, user.

Nothing of where packages come from is in a Dockerfile: pip's own settings and the certificates that it trusts go in as
secrets of the build, and leave no trace in the image.
"""

import json
import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from appraiser_cli.errors import CliError, UsageError
from appraiser_cli.home import ROOT
from appraiser_cli.locks import IMAGES

REGISTRY: Final = "ghcr.io/appraiser"
"""Where images are looked for unless APPRAISER_REGISTRY says otherwise; gitops/images and compose.yaml name it too."""

SCANNER: Final = "docker.io/anchore/grype:v0.104.0"
"""Runs by itself, with no right but that of reading the image."""

PLATFORMS: Final = ("linux/amd64", "linux/arm64")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an image is built.

    Attributes:
        image: Which one, such as 'api'.
        builder: 'docker' or 'buildah'.
        tag: Full name with tag.
        base: Image of Python to start from; empty takes the Dockerfile's.
        revision: Commit that it is built from.
        source: Address of the repository; empty where it has none.
        root: The repository.
        platforms: For which machines; empty for this one.
        options: Options of Docker's builder besides, such as '--push'.
    """

    image: str
    builder: str
    tag: str
    base: str = ""
    revision: str = "unknown"
    source: str = ""
    root: Path = ROOT
    platforms: tuple[str, ...] = ()
    options: tuple[str, ...] = field(default=())

    def command(self, secrets: Mapping[str, Path]) -> list[str]:
        """The command line of the build.

        Args:
            secrets: Files that a build may read, by the id under which the Dockerfile mounts them.
        """
        program = (
            ["docker", "buildx", "build"]
            if self.builder == "docker"
            # The format of OCI has no health check, and a chroot needs neither a daemon nor rights over namespaces.
            else ["buildah", "build", "--isolation=chroot", "--format=docker", "--layers"]
        )
        named = {"REVISION": self.revision, "VERSION": version(self.image, self.root), "SOURCE": self.source}
        if self.base:
            named["PYTHON_IMAGE"] = self.base
        return [
            *program,
            f"--file={self.root / 'apps' / self.image / 'Dockerfile'}",
            f"--tag={self.tag}",
            *(f"--build-arg={name}={value}" for name, value in named.items()),
            *(f"--secret=id={name},src={path}" for name, path in secrets.items()),
            *([f"--platform={','.join(self.platforms)}"] if self.platforms else []),
            *self.options,
            str(self.root),
        ]


@dataclass(frozen=True, slots=True)
class Measured:
    """What was built.

    Attributes:
        tag: Its name.
        unpacked: On the disk of who runs it. [bytes]
        packed: What a node downloads. [bytes]
        layers: How many.
        user: Who its program runs as.
    """

    tag: str
    unpacked: int
    packed: int
    layers: int
    user: str


def name(image: str, registry: str | None = None, version_: str | None = None) -> str:
    """Full name of an image with its tag, as compose.yaml and gitops/images have it.

    Raises:
        UsageError: There is no such image.
    """
    if image not in IMAGES:
        raise UsageError(f"there is no image {image!r}; those there are: {', '.join(IMAGES)}.")
    where = registry or os.environ.get("APPRAISER_REGISTRY") or REGISTRY
    return f"{where}/appraiser-{image}:{version_ or os.environ.get('APPRAISER_VERSION') or version(image)}"


def version(image: str, root: Path = ROOT) -> str:
    """Version of an image: its member's; the command's for the one that has no member."""
    own = root / "apps" / image / "pyproject.toml"
    file = own if own.exists() else root / "apps" / "cli" / "pyproject.toml"
    return str(tomllib.loads(file.read_text(encoding="utf-8"))["project"]["version"])


def revision(root: Path = ROOT) -> str:
    """The commit, with '-dirty' where files differ from it; 'unknown' outside a repository."""
    line = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    result = subprocess.run(line, capture_output=True, text=True, check=False)
    return result.stdout.strip() or "unknown"


def python_image(root: Path = ROOT) -> str:
    """The image that ours start from, as the Dockerfiles name it."""
    text = (root / "apps" / "api" / "Dockerfile").read_text(encoding="utf-8")
    return text.partition("ARG PYTHON_IMAGE=")[2].splitlines()[0]


def scan_command(reference: str) -> list[str]:
    """The command line that looks for known faults; it fails on a critical one that has a fix."""
    config = Path.home() / ".docker" / "config.json"
    login = [f"--volume={config}:/config/config.json:ro", "--env=DOCKER_CONFIG=/config"] if config.exists() else []
    socket = "--volume=/var/run/docker.sock:/var/run/docker.sock"
    return ["docker", "run", "--rm", socket, *login, SCANNER, reference, "--only-fixed", "--fail-on=critical"]


def builder(wanted: str | None = None) -> str:
    """The program that builds: the one asked for, else Docker where it answers, else buildah.

    Raises:
        CliError: There is none.
    """
    if wanted:
        return wanted
    if (
        shutil.which("docker")
        and not subprocess.run(
            ["docker", "buildx", "version"],  # noqa: S607
            capture_output=True,
            check=False,
        ).returncode
    ):
        return "docker"
    if shutil.which("buildah"):
        return "buildah"
    raise CliError("neither Docker with buildx nor buildah was found; install one of them (on Debian: buildah).")


def build(recipe: Recipe) -> None:
    """Build an image.

    Raises:
        CliError: The build failed; its own lines say why.
    """
    with build_secrets(os.environ) as secrets:
        result = subprocess.run(recipe.command(secrets), cwd=recipe.root, check=False)
    if result.returncode:
        raise CliError(f"{recipe.tag} could not be built; the lines above say why.")


@contextmanager
def build_secrets(environment: Mapping[str, str]) -> Iterator[dict[str, Path]]:
    """What pip needs to find packages from inside a build, as files that live as long as the build.

    Args:
        environment: Where pip's variables are looked up.
    """
    with tempfile.TemporaryDirectory(prefix="appraiser-build-") as folder:
        lines = ["[global]"]
        secrets = {"pip_conf": Path(folder) / "pip.conf"}
        certificates = environment.get("PIP_CERT") or environment.get("SSL_CERT_FILE")
        if certificates and Path(certificates).is_file():
            secrets["ca_bundle"] = Path(certificates)
            lines.append("cert = /run/secrets/ca_bundle")
        settings = _pip_settings(environment)
        lines += [f"{option} = {value}" for option, value in settings.items()]
        secrets["pip_conf"].touch(mode=0o600)
        secrets["pip_conf"].write_text("\n".join([*lines, ""]), encoding="utf-8")
        yield secrets


def measure(tag: str) -> Measured:
    """Look at an image that buildah has built.

    Raises:
        CliError: There is none of that name.
    """
    found = json.loads(_output("buildah", "inspect", "--type=image", tag))
    size = json.loads(_output("buildah", "images", "--json", tag))
    with tempfile.TemporaryDirectory(prefix="appraiser-image-") as folder:
        _output("buildah", "push", "--quiet", tag, f"oci:{folder}/image")
        packed = sum(blob.stat().st_size for blob in Path(folder, "image", "blobs", "sha256").iterdir())
    docker: dict[str, Any] = found["Docker"]
    return Measured(
        tag=tag,
        unpacked=_bytes(size[0]["size"]),
        packed=packed,
        layers=len(docker["rootfs"]["diff_ids"]),
        user=docker["config"]["User"],
    )


def _pip_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of pip that name where packages are, from its variables and its files; files of this machine not."""
    known = {
        option: environment[f"PIP_{option.upper().replace('-', '_')}"]
        for option in ("index-url", "extra-index-url", "timeout")
        if environment.get(f"PIP_{option.upper().replace('-', '_')}")
    }
    if "index-url" not in known and (url := environment.get("UV_DEFAULT_INDEX")):
        known["index-url"] = url
    return known


def _output(*line: str) -> str:
    result = subprocess.run(line, capture_output=True, text=True, check=False)
    if result.returncode:
        raise CliError(f"{' '.join(line)}: {result.stderr.strip()}")
    return result.stdout


def _bytes(text: str) -> int:
    number, unit = text.split()
    return int(float(number) * 1000 ** ("bytes", "KB", "MB", "GB").index(unit))


def parse_images(names: Sequence[str]) -> tuple[str, ...]:
    """The images of these names, or all where none is given.

    Raises:
        UsageError: One is unknown.
    """
    for each in names:
        name(each)
    return tuple(names) or IMAGES
