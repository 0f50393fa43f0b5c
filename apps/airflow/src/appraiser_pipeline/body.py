"""The body of a batch: what its head says, and its rows as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

type Cell = float | str | bool | None


class Head(msgspec.Struct, frozen=True):
    """What stands beside the rows."""

    group_number: int
    batch_number: int
    day: str | None = None


class _Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A row as the listing API writes it; whatever differs takes the slower way."""

    brokered_by: float | None
    status: str | None
    price: float | None
    bed: float | None
    bath: float | None
    acre_lot: float | None
    street: float | None
    city: str | None
    state: str | None
    zip_code: float | None
    house_size: float | None
    prev_sold_date: str | None


class _Body(msgspec.Struct):
    data: list[_Row]


class _LooseBody(msgspec.Struct):
    data: list[dict[str, Cell]]


class BodyError(ValueError):
    """The bytes are not a batch of the listing API."""


def read_head(body: bytes) -> Head:
    """Read which batch a body is, without its rows; the whole body is checked to be JSON.

    Raises:
        BodyError: It is cut off, or no batch.
    """
    try:
        return msgspec.json.decode(body, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BodyError(f"the body of {len(body)} bytes is not a batch: {error}") from None


def read_rows(body: bytes) -> pl.DataFrame:
    """Read the rows of a body: one column per name that occurs, in the types that came.

    A row without a name that others have is unknown there. A column with numbers and texts in it becomes texts.

    Raises:
        BodyError: The body has no list of rows.
    """
    try:
        rows = msgspec.json.decode(body, type=_Body).data
    except msgspec.ValidationError:
        return _read_loose(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BodyError(f"the body is not JSON: {error}") from None
    names = _Row.__struct_fields__
    return pl.DataFrame([_series(name, [getattr(row, name) for row in rows]) for name in names])


def _read_loose(body: bytes) -> pl.DataFrame:
    try:
        rows = msgspec.json.decode(body, type=_LooseBody).data
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BodyError(f"the body has no list of rows under 'data': {error}") from None
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame([_series(name, _cells(rows, name)) for name in names])


def _cells(rows: Sequence[Mapping[str, Cell]], name: str) -> list[Any]:
    cells = [row.get(name) for row in rows]
    if any(isinstance(cell, str | bool) for cell in cells):
        return [str(cell) if cell is not None else None for cell in cells]
    return cells


def _series(name: str, cells: list[Any]) -> pl.Series:
    first = next((cell for cell in cells if cell is not None), None)
    return pl.Series(name, cells, dtype=pl.String if isinstance(first, str) else pl.Float64)
