"""What is told of a release: its part of the changelog, and the images that it is made of."""

import re
from pathlib import Path

from appraiser_cli.digests import pinned
from appraiser_cli.errors import NotThereError
from appraiser_cli.home import ROOT


def notes(version: str, overlay: str = "prod", root: Path = ROOT) -> str:
    """The notes of a release in Markdown.

    Args:
        version: Such as '1.2.0'; a leading 'v', as tags have it, counts for nothing.
        overlay: Whose images are named.
        root: The repository.

    Raises:
        NotThereError: The changelog has no part for that version.
    """
    version = version.removeprefix("v")
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    part = re.search(rf"^## \[?{re.escape(version)}\]?(?: [^\n]*)?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if part is None or not part[1].strip():
        raise NotThereError(
            f"CHANGELOG.md has no part for {version!r}; give what stands under 'Unreleased' that heading, "
            f"such as '## {version} - 2026-11-30'."
        )
    ours = [one for name, one in pinned(overlay, root).items() if name.startswith("appraiser-")]
    images = [f"- `{one.reference}`" for one in ours]
    return "\n".join([part[1].strip(), "", "### Images", *images, ""])
