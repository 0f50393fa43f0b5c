"""Everything that the policies look at: files, what they come to, and in which file an object stands."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.objects import name, namespace
from appraiser_cli.manifests.rendering import LOADER, OVERLAYS, Document, Rendered, render_all


@dataclass
class World:
    """The manifests of a repository.

    Attributes:
        root: The repository.
        rendered: What each folder comes to.
        released: Whether digests that nobody has looked up yet are failures.
        broken: What could not be rendered.
    """

    root: Path
    rendered: list[Rendered]
    released: bool = False
    broken: list[Failure] = field(default_factory=list)

    @classmethod
    def of(cls, root: Path, *, released: bool = False) -> "World":
        """Render the manifests of a repository."""
        rendered, broken = render_all(root)
        return cls(root=root, rendered=rendered, released=released, broken=broken)

    @cached_property
    def files(self) -> list[Path]:
        """Every YAML file below gitops/, and the compose file."""
        found = sorted((self.root / "gitops").rglob("*.y*ml"))
        compose = self.root / "compose.yaml"
        return [*found, *([compose] if compose.exists() else [])]

    @cached_property
    def parsed(self) -> dict[Path, list[Any]]:
        """What each readable file holds."""
        found: dict[Path, list[Any]] = {}
        for file in self.files:
            try:
                found[file] = _parsed(file.read_text(encoding="utf-8"))
            except yaml.YAMLError:
                continue
        return found

    def overlays(self) -> Iterator[tuple[str, tuple[Document, ...]]]:
        """Every object that an overlay brings into a cluster, with optional ones."""
        for overlay in OVERLAYS:
            seen: dict[tuple[str, str, str], Document] = {}
            for rendered in self.rendered:
                if rendered.overlay in {overlay, ""}:
                    for document in rendered.documents:
                        key = (document["kind"], namespace(document), name(document))
                        # What an application brings as it stands goes before the same with a component on top.
                        if not (rendered.optional and key in seen):
                            seen[key] = document
            yield overlay, tuple(seen.values())

    def each(self) -> Iterator[tuple[Rendered, Document]]:
        """Every object with the folder that it comes from."""
        for rendered in self.rendered:
            for document in rendered.documents:
                yield rendered, document

    def relative(self, file: Path) -> str:
        """A path as failures name it."""
        return file.relative_to(self.root).as_posix()

    def file_of(self, document: Document, near: str = "") -> str:
        """The file that an object stands in; the folder that brings it where no file has it word for word.

        Args:
            document: The object.
            near: Folder that was rendered, to choose between files of the same object.
        """
        found = self._places.get((str(document.get("kind")), name(document)), [])
        if not found:
            # Names may have got a suffix on the way.
            found = [
                file
                for (kind, start), files in self._places.items()
                if kind == document.get("kind") and name(document).startswith(f"{start}-")
                for file in files
            ]
        member = "/".join(near.split("/")[:3])
        close = [file for file in found if member and file.startswith(f"{member}/")]
        return next(iter(close or found), near or "gitops")

    @cached_property
    def _places(self) -> dict[tuple[str, str], list[str]]:
        places: dict[tuple[str, str], list[str]] = {}
        # Bases before overlays: what an object is stands there.
        for file in sorted(self.parsed, key=lambda path: ("overlays" in path.parts, path)):
            for document in self.parsed[file]:
                if isinstance(document, dict) and "kind" in document and "metadata" in document:
                    places.setdefault((document["kind"], name(document)), []).append(self.relative(file))
        return places


@cache
def _parsed(text: str) -> list[Any]:
    """What a file holds; whoever gets it changes nothing in it."""
    return [one for one in yaml.load_all(text, LOADER) if one]
