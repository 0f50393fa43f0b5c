"""The appraiser command: starts, watches and asks the system."""

from importlib.metadata import version

__version__ = version("appraiser-cli")

__all__ = ["__version__"]
