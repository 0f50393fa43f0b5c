"""What a workflow takes from others it takes by commit: a tag can be moved under it."""

import re
from collections.abc import Iterator
from typing import Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.world import World

_USES: Final = re.compile(r"^\s*-?\s*uses:\s*['\"]?(?P<action>[^\s'\"#]+)['\"]?(?P<rest>.*)$")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_VERSION: Final = re.compile(r"#\s*v?\d+")


def check(world: World) -> Iterator[Failure]:
    """Look at every 'uses' below .github; those of this repository itself have no version."""
    for file in sorted((world.root / ".github").rglob("*.y*ml")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            found = _USES.match(line)
            if found is None or found["action"].startswith("./"):
                continue
            action, _, version = found["action"].partition("@")
            where = f"{world.relative(file)}:{number}"
            if not _COMMIT.fullmatch(version):
                yield Failure(
                    "actions",
                    where,
                    f"{action} is taken by {version or 'no version'!r}",
                    "name the commit that the tag stands for, with the version in a comment",
                )
            elif not _VERSION.search(found["rest"]):
                yield Failure("actions", where, f"nobody can read which version {action} is", "add it in a comment")
