"""The workflows below .github, held against their checkers without a network.

actionlint knows expressions, shells and events; zizmor knows how workflows are attacked; the schemas know the fields.
"""

import subprocess
from pathlib import Path
from typing import Final

from appraiser_cli.home import ROOT
from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.policies import actions
from appraiser_cli.manifests.world import World

_SCHEMAS: Final = {"workflows/*.yaml": "vendor.github-workflows", "dependabot.yml": "vendor.dependabot"}


def check_workflows(root: Path = ROOT) -> dict[str, list[Failure]]:
    """What must be changed below .github, by the name of the checker that says so."""
    return {"commits of actions": list(actions.check(World(root, []))), **_by_tools(root)}


def _by_tools(root: Path) -> dict[str, list[Failure]]:
    folder = root / ".github"
    files = sorted(folder.glob("workflows/*.yaml"))
    commands = {
        "actionlint": ["actionlint", "-no-color", "-oneline", *map(str, files)],
        "zizmor": ["zizmor", "--offline", "--no-progress", "--color=never", "--persona=regular", str(folder)],
    }
    for pattern, schema in _SCHEMAS.items():
        found = [str(file) for file in sorted(folder.glob(pattern))]
        commands[schema] = ["check-jsonschema", "--builtin-schema", schema, *found]
    said_by: dict[str, list[Failure]] = {}
    for name, (program, *arguments) in commands.items():
        line = [str(ROOT / ".venv" / "bin" / program), *arguments]
        result = subprocess.run(line, cwd=root, capture_output=True, text=True, check=False)
        said = (result.stdout or result.stderr).strip().replace(f"{root}/", "")
        refused = Failure("workflows", ".github", f"{name} refuses it:\n{said}", "mend what it names")
        said_by[name] = [refused] if result.returncode else []
    return said_by
