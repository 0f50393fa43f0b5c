"""Errors of the cluster's secrets.

CliError
└── SecretsError         the file of secrets cannot be made, read or applied
"""

from appraiser_cli.errors import CliError


class SecretsError(CliError):
    """The file of secrets cannot be made, read or applied."""
