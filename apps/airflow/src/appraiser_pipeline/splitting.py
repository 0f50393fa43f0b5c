"""The hash of a row, and what the row is used for."""

from collections.abc import Callable
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from appraiser_schema import RAW_COLUMNS, Split

type Words = NDArray[np.uint64]

_SEED: Final = 0x6170_7072_6169_7365
"""The letters 'appraise'. Fixed for good, like every number below: another would move test rows into training."""

_STEP: Final = 0x9E37_79B9_7F4A_7C15
_UNKNOWN: Final = 0x7FF8_0000_0000_0001
"""Stands for null: the bits of a NaN, which no clean number has."""

_WORD_BYTES: Final = 8
_TRAIN_SHARE: Final = 0.70
_VALIDATION_SHARE: Final = 0.15
_MODULUS: Final = 10_000


def hash_rows(frame: pl.DataFrame) -> pl.Series:
    """Hash clean rows: the same listing has the same hash in every batch, on every machine and in every version.

    A row is twelve words of 64 bits, one per column in the order of `RAW_COLUMNS`, chained: `h = mix(h ^ word)`,
    beginning with a fixed number. A number's word are its bits (IEEE 754, minus zero as zero), a date's the days
    since 1970. A text's are its UTF-8 bytes, eight to a word, little end first and filled up with zeros, chained in
    the same way from the text's length in bytes. Null has a word of its own. `mix` adds a constant and takes the
    finaliser of splitmix64 (Steele and others, 2014). It maps 64 bits one to one: rows that differ in a
    single number or date differ in these, of which 63 are kept.

    It is fast and well spread, not secret: who knows it can make two listings with one hash.

    Returns:
        The upper 63 bits as Int64, not negative, named 'row_hash'. Among n rows that differ, two have the same hash
        with a probability of n^2 / 2^64: five in a million for ten million rows.
    """
    row_hash = np.full(frame.height, _SEED, dtype=np.uint64)
    for name in RAW_COLUMNS:
        row_hash = _mix(row_hash ^ _words(frame[name]))
    return pl.Series("row_hash", (row_hash >> np.uint64(1)).astype(np.int64))


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


def _mix(word: Words) -> Words:
    word = word + np.uint64(_STEP)
    for shift, factor in ((30, 0xBF58_476D_1CE4_E5B9), (27, 0x94D0_49BB_1331_11EB)):
        word ^= word >> np.uint64(shift)
        word *= np.uint64(factor)
    word ^= word >> np.uint64(31)
    return word


def _words(cells: pl.Series) -> Words:
    words = _BY_TYPE[cells.dtype](cells)
    if not cells.null_count():
        return words
    return np.where(cells.is_null().to_numpy(), np.uint64(_UNKNOWN), words)


def _of_numbers(cells: pl.Series) -> Words:
    return (cells.fill_null(0.0).to_numpy() + 0.0).view(np.uint64)  # Plus zero turns minus zero into zero.


def _of_days(cells: pl.Series) -> Words:
    return cells.to_physical().cast(pl.Int64).fill_null(0).to_numpy().view(np.uint64)


def _of_texts(cells: pl.Series) -> Words:
    texts = cells.fill_null("").to_arrow(compat_level=pl.CompatLevel.oldest())
    _, places, letters = texts.buffers()
    begins = np.frombuffer(places, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    padded = np.frombuffer(bytes(letters or b"") + bytes(_WORD_BYTES), dtype=np.uint8)
    # A word of eight letters begins at every letter.
    words_at = np.ndarray((padded.size - _WORD_BYTES + 1,), dtype="<u8", buffer=padded, strides=(1,))
    sizes, begins = np.diff(begins), begins[:-1]
    words = _mix(sizes.astype(np.uint64))
    for place in range(0, int(sizes.max(initial=0)), _WORD_BYTES):
        rows = np.flatnonzero(sizes > place)
        words[rows] = _mix(words[rows] ^ _cut(words_at[begins[rows] + place], sizes[rows] - place))
    return words


def _cut(words: Words, left: NDArray[np.int64]) -> Words:
    """The words with zeros for the letters beyond what is left of the text."""
    unused = 8 * (_WORD_BYTES - np.minimum(left, _WORD_BYTES)).astype(np.uint64)
    return words & (np.uint64(2**64 - 1) >> unused)


_BY_TYPE: Final[dict[pl.DataType, Callable[[pl.Series], Words]]] = {
    pl.Float64(): _of_numbers,
    pl.Date(): _of_days,
    pl.String(): _of_texts,
}
