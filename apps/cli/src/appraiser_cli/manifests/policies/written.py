"""Files are YAML that says each thing once."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.world import World

_RULES: Final = """
extends: relaxed
rules:
  line-length: disable
  indentation: disable
  key-duplicates: enable
  empty-values: {forbid-in-block-mappings: true}
  truthy: {allowed-values: ["true", "false"], check-keys: false, level: error}
  octal-values: enable
  document-start: disable
  comments: disable
  braces: disable
"""


def check(world: World) -> Iterator[Failure]:
    """Lint every file below gitops/."""
    for file in world.files:
        if file.name == "compose.yaml":
            # Named volumes are empty values there, and Compose's own schema looks at the rest.
            continue
        text = file.read_text(encoding="utf-8")
        for line, problem in _problems(text):
            yield Failure(
                "written", f"{world.relative(file)}:{line}", problem, "write it as YAML that says each thing once"
            )


@cache
def _problems(text: str) -> tuple[tuple[int, str], ...]:
    """Line and fault of each."""
    from yamllint import linter  # noqa: PLC0415 - a development tool, wanted by this check only
    from yamllint.config import YamlLintConfig  # noqa: PLC0415

    found = linter.run(text, YamlLintConfig(_RULES))
    return tuple((problem.line, str(problem.desc)) for problem in found if problem.level == "error")
