"""The listings that a model has learned from, kept beside it without their addresses, for people to compare with."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from appraiser_model import COMPARABLES_FILE, Card
from appraiser_model.comparables import NUMBERS, TEXTS, kept_of
from appraiser_pipeline.context import Context
from appraiser_schema import Split
from appraiser_store import Table


def keep_listings(context: Context, version: int, card: Card) -> None:
    """Keep them with the run that made a version; a version without them serves as well, but has nothing to show.

    Args:
        context: Lake and registry.
        version: Which.
        card: Its card, which names the snapshot and the batches.
    """
    with tempfile.TemporaryDirectory() as scratch:
        table = kept_of(_training_listings(context, card), card.rows_train)
        table.write_parquet(Path(scratch) / COMPARABLES_FILE, compression="zstd", statistics=False)
        context.registry.keep_files(version, Path(scratch))


def _training_listings(context: Context, card: Card) -> Iterator[pl.DataFrame]:
    columns = ("split", "row_hash", *NUMBERS, *TEXTS)
    for frame in context.lake.read_batches(
        Table.CLEAN, columns=columns, batches=card.batches, snapshot_id=card.snapshot_id
    ):
        yield frame.filter(split=Split.TRAIN)
