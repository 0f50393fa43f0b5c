"""The manifests of this repository for tests: rendered once, copied to be broken, and written down as golden files.

`python tests/manifest_stand.py` writes the golden files anew.
"""

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from appraiser_cli.manifests.rendering import Rendered, render_all
from appraiser_cli.manifests.world import World

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "manifests" / "golden"
_HASH = re.compile(r"-[0-9a-z]{10}$")
_IMAGE = re.compile(r"(ghcr\.io/appraiser/[a-z-]+):[^@\s]+(@sha256:[0-9a-f]{64})?$")
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes texts of several lines as such, so that a change shows in its line."""


def _text(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def copy_of(root: Path, to: Path) -> Path:
    """A copy of what the check reads."""
    for part in ("gitops", ".github", "docs/operations"):
        if (root / part).exists():
            shutil.copytree(root / part, to / part)
    if (root / "compose.yaml").exists():
        shutil.copy(root / "compose.yaml", to / "compose.yaml")
    return to


def judged_after(whole: World, root: Path, only: str) -> World:
    """The manifests of a copy in which only some folders were changed.

    Args:
        whole: The manifests before.
        root: The copy.
        only: How the changed folders begin.
    """
    rendered, broken = render_all(root, only)
    kept = [one for one in whole.rendered if not one.folder.startswith(only)]
    return World(root=root, rendered=kept + rendered, broken=broken)


def golden_name(rendered: Rendered) -> str:
    """File of a folder, such as 'services-mlflow-dev.yaml'."""
    parts = [part for part in rendered.folder.removeprefix("gitops/").split("/") if part != "overlays"]
    return "-".join(parts) + ".yaml"


def golden_text(rendered: Rendered) -> str:
    """What a folder comes to, without what changes every day: digests, our version, contents of generated settings."""
    documents = [_steady(document) for document in rendered.documents]
    return str(yaml.dump_all(documents, Dumper=_Dumper, sort_keys=True, width=120))


def _steady(value: Any) -> Any:
    if isinstance(value, list):
        return [_steady(one) for one in value]
    if isinstance(value, dict):
        if value.get("kind") == "ConfigMap" and "metadata" in value and _HASH.search(value["metadata"]["name"]):
            named = {**value["metadata"], "name": _HASH.sub("-HASH", value["metadata"]["name"])}
            return {**value, "metadata": named, "data": dict.fromkeys(value.get("data", {}), "from its file")}
        return {key: _steady_name(one) if key == "configMap" else _steady(one) for key, one in value.items()}
    if isinstance(value, str):
        return _DIGEST.sub("@DIGEST", _IMAGE.sub(r"\1:VERSION@DIGEST", value))
    return value


def _steady_name(source: Any) -> Any:
    return {**source, "name": _HASH.sub("-HASH", source["name"])} if isinstance(source, dict) else source


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    folders, failures = render_all(ROOT)
    for failure in failures:
        sys.exit(f"{failure.file}: {failure.problem}")
    for old in GOLDEN.glob("*.yaml"):
        old.unlink()
    for folder in folders:
        (GOLDEN / golden_name(folder)).write_text(golden_text(folder), encoding="utf-8")
