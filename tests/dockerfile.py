"""What a Dockerfile says: its instructions, joined over lines, stage by stage."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appraiser_cli.home import ROOT
from appraiser_cli.locks import IMAGES

_CONTINUED: Final = re.compile(r"\\\n\s*")


@dataclass(frozen=True)
class Dockerfile:
    """The instructions of an image, of all its stages."""

    image: str
    instructions: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, image: str) -> "Dockerfile":
        """Read the Dockerfile of an image."""
        text = (ROOT / "apps" / image / "Dockerfile").read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        joined = _CONTINUED.sub("", "\n".join(lines))
        pairs = (line.partition(" ") for line in joined.splitlines() if line.strip())
        return cls(image, tuple((name.upper(), rest.strip()) for name, _, rest in pairs))

    @property
    def final(self) -> tuple[tuple[str, str], ...]:
        """Those of the last stage, which is the image."""
        begins = [place for place, (name, _) in enumerate(self.instructions) if name == "FROM"]
        return self.instructions[begins[-1] :]

    def all(self, name: str) -> list[str]:
        """What stands behind an instruction, in all stages."""
        return [rest for each, rest in self.instructions if each == name]

    def last(self, name: str) -> str:
        """What stands behind an instruction of the image itself, where it comes last."""
        return [rest for each, rest in self.final if each == name][-1]

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the image."""
        words = [word for name, rest in self.final if name == "ENV" for word in shlex.split(rest)]
        return dict(word.split("=", maxsplit=1) for word in words)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.last("EXPOSE"))


DOCKERFILES: Final = {image: Dockerfile.of(image) for image in IMAGES}


def version(image: str, root: Path = ROOT) -> str:
    """The version of an image: its member's, or the repository's for the one without a member."""
    member = root / "apps" / image / "pyproject.toml"
    file = member if member.exists() else root / "apps" / "cli" / "pyproject.toml"
    found = re.search(r'^version = "(.+)"$', file.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]
