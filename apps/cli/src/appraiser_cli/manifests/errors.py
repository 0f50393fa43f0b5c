"""Errors of checking manifests.

CliError
└── ManifestToolError    a program or package that the check needs is missing
"""

from appraiser_cli.errors import CliError


class ManifestToolError(CliError):
    """A program or package that the check needs is missing.

    Attributes:
        tool: Its name.
    """

    def __init__(self, tool: str) -> None:
        self.tool = tool
        super().__init__(
            f"{tool} is missing, which checking manifests needs. It comes with the development tools: start this "
            "command with ./appraiser, or run 'uv sync --all-packages'."
        )
