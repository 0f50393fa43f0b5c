"""Whether two batches hold the same rows."""

import hashlib

import numpy as np
import polars as pl
import pyarrow as pa


class Digest:
    """Digest of the values of rows, in the order of rows and columns, that come some at a time.

    How many come at once does not count, nor what happens to lie in memory below a null.
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[hashlib._Hash]] = {}

    def add(self, rows: pl.DataFrame) -> None:
        """Take in further rows, with the same columns."""
        for cells in rows.iter_columns():
            hashes = self._columns.setdefault(cells.name, [hashlib.sha256() for _ in range(3)])
            for told, contents in zip(hashes, _contents(cells), strict=False):
                told.update(contents)

    def hexdigest(self) -> str:
        """SHA-256 of all that came, hexadecimal."""
        whole = hashlib.sha256()
        for name, hashes in self._columns.items():
            whole.update(f"{name}:{':'.join(told.hexdigest() for told in hashes)};".encode())
        return whole.hexdigest()


def _contents(cells: pl.Series) -> list[memoryview]:
    """Which cells are known; their values; of texts, their sizes and their letters."""
    known = cells.is_not_null().cast(pl.UInt8).to_numpy().data
    if cells.dtype != pl.String:
        return [known, np.ascontiguousarray(cells.to_physical().fill_null(0).to_numpy()).data.cast("B")]
    texts = cells.fill_null("")
    _, places, letters = pa.array(texts.to_arrow(), pa.large_string()).buffers()
    sizes = np.ascontiguousarray(texts.str.len_bytes().to_numpy())
    first, last = np.frombuffer(places, dtype=np.int64, count=sizes.size + 1)[[0, -1]]
    return [known, sizes.data.cast("B"), memoryview(letters or b"")[first:last]]
