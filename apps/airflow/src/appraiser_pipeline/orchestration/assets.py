"""What DAGs tell each other of: a run that writes an asset starts those that wait for it."""

from typing import Final

from airflow.sdk import Asset

CLEAN_LISTINGS: Final = Asset(
    "clean.listings", uri="x-appraiser://lake/clean.listings", extra={"table": "clean.listings"}
)
"""The lake's table: an event for each batch that was cleaned, with its number, its rows and its snapshot."""
