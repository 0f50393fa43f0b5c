"""The pipeline: from the listing API to a champion, one step per module."""

from importlib.metadata import version

__version__ = version("appraiser-pipeline")
