"""Tables of houses in the log: one Arrow stream of the listings, the rows' numbers and the prices."""

import io
from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from appraiser_model import Appraised

_OWN: Final = ("__row", "__price_usd", "__lower_usd", "__upper_usd")
"""Columns of ours beside those of the listing; a listing has none that begins like this."""


def pack_table(listings: pl.DataFrame, appraised: Appraised, rows: pl.Series | None) -> bytes:
    """Make one Arrow stream, compressed with LZ4."""
    numbers = pl.int_range(1, listings.height + 1, dtype=pl.UInt32, eager=True) if rows is None else rows
    values: tuple[Any, ...] = (numbers.cast(pl.UInt32), appraised.price_usd, appraised.lower_usd, appraised.upper_usd)
    # Not by an expression: a part of a table is small, and planning a query would take a third of all this.
    added = [pl.Series(name, value) for name, value in zip(_OWN, values, strict=True)]
    target = io.BytesIO()
    listings.hstack(added).write_ipc_stream(target, compression="lz4")
    return target.getvalue()


def unpack_table(body: bytes, slice_rows: int) -> Iterator[list[tuple[int, float, float, float, str]]]:
    """Read it back in slices: row, price, lower and upper bound, and the listing as JSON without what is unknown."""
    table = pl.read_ipc_stream(body)
    for part in table.iter_slices(slice_rows):
        # Not `splitlines`: JSON leaves U+2028 and others as they are, which that takes for ends of lines.
        listings = part.drop(_OWN).write_ndjson().removesuffix("\n").split("\n")
        columns = (part[name].to_list() for name in _OWN)
        yield list(zip(*columns, listings, strict=True))


def has_row(body: bytes, row: int) -> bool:
    """Whether a table has the row of this number."""
    return row in pl.read_ipc_stream(body, columns=[_OWN[0]])[_OWN[0]]
