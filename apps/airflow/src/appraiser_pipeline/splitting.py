"""The hash of a row, and what the row is used for."""

from hashlib import blake2b
from typing import Final

import polars as pl

from appraiser_schema import RAW_COLUMNS, Split

SALT: Final = b"appraiser-split"
"""Fixed for good: another salt would move test rows into training."""

_TRAIN_SHARE: Final = 0.70
_VALIDATION_SHARE: Final = 0.15
_MODULUS: Final = 10_000


def hash_rows(frame: pl.DataFrame) -> pl.Series:
    """Hash clean rows: the same listing has the same hash in every batch, on every machine and in every version.

    Keyed BLAKE2b over the twelve columns as text, 63 bits.

    Returns:
        Int64, not negative, named 'row_hash'.
    """
    cells = [pl.col(name).cast(pl.String).fill_null("\x00") for name in RAW_COLUMNS]
    texts = frame.select(pl.concat_str(cells, separator="\x1f"))[:, 0].to_list()
    hashes = [int.from_bytes(blake2b(text.encode(), digest_size=8, key=SALT).digest(), "big") >> 1 for text in texts]
    return pl.Series("row_hash", hashes, dtype=pl.Int64)


def split_rows(row_hash: pl.Expr) -> pl.Expr:
    """What each row is used for: 70 % train, 15 % validation, 15 % test, by its hash alone."""
    # Other bits than the low ones, which the folds of the training take.
    place = (row_hash // 2**20) % _MODULUS
    return (
        pl.when(place < int(_TRAIN_SHARE * _MODULUS))
        .then(pl.lit(Split.TRAIN.value))
        .when(place < int((_TRAIN_SHARE + _VALIDATION_SHARE) * _MODULUS))
        .then(pl.lit(Split.VALIDATION.value))
        .otherwise(pl.lit(Split.TEST.value))
        .alias("split")
    )
