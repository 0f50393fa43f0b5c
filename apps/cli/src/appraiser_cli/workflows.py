"""The workflows below .github, held against their checkers without a network.

actionlint knows expressions, shells and events; zizmor knows how workflows are attacked; the schemas know the fields.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from appraiser_cli.home import ROOT
from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.policies import actions
from appraiser_cli.manifests.world import World

_SCHEMAS: Final = {"workflows/*.yaml": "vendor.github-workflows", "dependabot.yml": "vendor.dependabot"}


def check_workflows(root: Path = ROOT) -> list[Failure]:
    """Everything that must be changed below .github."""
    return [*actions.check(World(root, [])), *_by_tools(root)]


def _by_tools(root: Path) -> Iterator[Failure]:
    folder = root / ".github"
    files = sorted(folder.glob("workflows/*.yaml"))
    commands = {
        "actionlint": ["actionlint", "-no-color", "-oneline", *map(str, files)],
        "zizmor": ["zizmor", "--offline", "--no-progress", "--color=never", "--persona=regular", str(folder)],
    }
    for pattern, schema in _SCHEMAS.items():
        found = [str(file) for file in sorted(folder.glob(pattern))]
        commands[schema] = ["check-jsonschema", "--builtin-schema", schema, *found]
    for name, (program, *arguments) in commands.items():
        line = [str(ROOT / ".venv" / "bin" / program), *arguments]
        result = subprocess.run(line, cwd=root, capture_output=True, text=True, check=False)
        if result.returncode:
            said = (result.stdout or result.stderr).strip().replace(f"{root}/", "")
            yield Failure("workflows", ".github", f"{name} refuses it:\n{said}", "mend what it names")
