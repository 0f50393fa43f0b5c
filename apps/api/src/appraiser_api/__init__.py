"""Appraisals, explanations and models over HTTP."""

from importlib.metadata import version

__version__ = version("appraiser-api")
