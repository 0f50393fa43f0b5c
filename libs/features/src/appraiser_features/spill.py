"""Columns of numbers on disk: written once, row after row, and read in slices."""

import os
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


class Spill:
    """Columns whose rows do not stay in memory.

    Each column is a file without a name: it vanishes with the process, whatever ends it. The system keeps what it has
    room for in its own cache, so that reading costs about as much as copying. `close` gives the disk back; otherwise
    that happens when nobody needs the columns any more.
    """

    def __init__(self, columns: Mapping[str, DTypeLike], folder: Path | None = None) -> None:
        """Open empty columns.

        Args:
            columns: Name and type of each.
            folder: Where the files lie; None is the system's folder for such files.
        """
        self.rows = 0
        self._types = {name: np.dtype(dtype) for name, dtype in columns.items()}
        self._files = {name: _open(folder) for name in columns}
        self.close = weakref.finalize(self, _close, tuple(self._files.values()))

    def append(self, **columns: ArrayLike) -> None:
        """Add rows; every column gets as many."""
        arrays = {name: np.ascontiguousarray(columns[name], dtype) for name, dtype in self._types.items()}
        lengths = {len(array) for array in arrays.values()}
        if len(lengths) != 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")
        for name, array in arrays.items():
            _write(self._files[name], memoryview(array.view(np.uint8)))
        self.rows += lengths.pop()

    def read(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Rows start to stop of a column; all by default."""
        stop = self.rows if stop is None else min(stop, self.rows)
        dtype = self._types[name]
        out = np.empty(max(0, stop - start), dtype)
        _read(self._files[name], memoryview(out.view(np.uint8)), start * dtype.itemsize)
        return out


def _open(folder: Path | None) -> int:
    with tempfile.TemporaryFile(dir=folder) as file:
        return os.dup(file.fileno())


def _close(files: tuple[int, ...]) -> None:
    for file in files:
        os.close(file)


def _write(file: int, content: memoryview) -> None:
    while content:
        content = content[os.write(file, content) :]


def _read(file: int, into: memoryview, offset: int) -> None:
    while into:
        got = os.preadv(file, [into], offset)
        if not got:
            raise EOFError("a file of this process was cut short by another")
        into, offset = into[got:], offset + got
