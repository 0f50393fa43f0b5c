"""A batch as the bytes that are sent, encoded once and kept compressed."""

import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import orjson
import polars as pl

ROWS_PER_CHUNK: Final = 4_096
"""About a megabyte of JSON: its encoding holds Python's lock for some 10 ms, so other requests go on."""


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """The JSON objects of a batch, divided by commas.

    Attributes:
        chunks: Parts of the text, each compressed by itself.
        size_bytes: Length of the whole text before compression.
    """

    chunks: tuple[bytes, ...]
    size_bytes: int

    def __iter__(self) -> Iterator[bytes]:
        """Give the text part by part."""
        return map(zlib.decompress, self.chunks)


class Batch:
    """A batch to be sent.

    Attributes:
        number: Number that is sent with it.
        rows: Number of listings.
    """

    def __init__(self, number: int, listings: pl.DataFrame) -> None:
        self.number = number
        self.rows = listings.height
        self._content: pl.DataFrame | EncodedRows = listings
        self._lock = threading.Lock()

    def encoded(self) -> EncodedRows:
        """Encode the batch at the first call, which takes some seconds per million rows; safe from several threads."""
        with self._lock:
            if isinstance(self._content, pl.DataFrame):
                self._content = encode(self._content)
            return self._content


def encode(listings: pl.DataFrame) -> EncodedRows:
    """Encode listings as JSON objects in the order of their columns; the same listings give the same bytes."""
    chunks: list[bytes] = []
    size = 0
    for part in listings.iter_slices(ROWS_PER_CHUNK):
        text = orjson.dumps(part.to_dicts())[1:-1]
        text = b"," + text if chunks else text
        size += len(text)
        chunks.append(zlib.compress(text, level=1))
    return EncodedRows(tuple(chunks), size)
