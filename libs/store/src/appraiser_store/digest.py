"""Whether two frames hold the same rows."""

import hashlib
import io
from typing import override

import polars as pl
import pyarrow as pa


class _Sink(io.RawIOBase):
    """A file that keeps of what is written to it nothing but the digest."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: object) -> int:
        written = memoryview(data)  # type: ignore[arg-type]
        self.digest.update(written)
        return written.nbytes


def digest_of(rows: pl.DataFrame) -> str:
    """Digest of the values in a frame, in the order of its rows and columns.

    Returns:
        SHA-256, hexadecimal. What happens to lie in memory below a null or around a slice does not count.
    """
    sink = _Sink()
    for name in rows.columns:  # One after the other: together they would be a second copy of all rows.
        table = rows.select(_told(name, rows.schema[name])).rechunk().to_arrow()
        with pa.ipc.new_stream(pa.PythonFile(sink, "w"), table.schema) as writer:
            writer.write_table(table)
    return sink.digest.hexdigest()


def _told(name: str, dtype: pl.DataType) -> tuple[pl.Expr, pl.Expr]:
    known = pl.col(name).is_not_null().cast(pl.UInt8).alias(f"{name} is known")
    return known, pl.col(name).to_physical().fill_null("" if dtype == pl.String else 0)
