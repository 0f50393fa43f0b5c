"""Files are YAML that says each thing once."""

from collections.abc import Iterator
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
    from yamllint import linter  # noqa: PLC0415 - a development tool, wanted by this check only
    from yamllint.config import YamlLintConfig  # noqa: PLC0415

    config = YamlLintConfig(_RULES)
    for file in world.files:
        if file.name == "compose.yaml":
            # Named volumes are empty values there, and Compose's own schema looks at the rest.
            continue
        text = file.read_text(encoding="utf-8")
        for problem in linter.run(text, config, str(file)):
            if problem.level != "error":
                continue
            yield Failure(
                "written",
                f"{world.relative(file)}:{problem.line}",
                str(problem.desc),
                "write it as YAML that says each thing once",
            )
