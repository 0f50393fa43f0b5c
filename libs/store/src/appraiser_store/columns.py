"""The columns of the lake's tables, in polars' types, read off the one declaration of a listing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from appraiser_schema import RAW_COLUMNS
from appraiser_schema.frames import CLEAN_TABLE, FAILURE_SCHEMA, RAW_TABLE, ROW_NUMBER
from appraiser_schema.rules import Column as Declared
from appraiser_store.errors import RowsError
from appraiser_store.tables import Table

BATCH_NUMBER: Final = "batch_number"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table of the lake.

    Attributes:
        dtype: Its type in every frame that is read.
        required: Whether null is refused.
    """

    dtype: pl.DataType
    required: bool


def _column(dtype: object, *, required: bool = True) -> Column:
    return Column(dtype if isinstance(dtype, pl.DataType) else dtype(), required=required)  # type: ignore[operator]


def _listing_columns(declared: Mapping[str, Declared]) -> dict[str, Column]:
    return {name: _column(declared[name].dtype, required=not declared[name].nullable) for name in RAW_COLUMNS}


_POSITION: Final = {BATCH_NUMBER: _column(pl.Int32), ROW_NUMBER: _column(pl.UInt32)}

COLUMNS: Final[Mapping[Table, Mapping[str, Column]]] = {
    Table.RAW: {**_POSITION, **_listing_columns(RAW_TABLE)},
    Table.CLEAN: {
        **_POSITION,
        "row_hash": _column(pl.Int64),
        "split": _column(pl.String),
        **_listing_columns(CLEAN_TABLE),
    },
    Table.QUARANTINE: {
        **_POSITION,
        **{n: _column(t, required=n != "value") for n, t in FAILURE_SCHEMA.items() if n != ROW_NUMBER},
    },
}
"""Columns by table. Iceberg has no unsigned integers: a row number is kept as a signed one and read as it was."""

ORDER: Final[Mapping[Table, tuple[str, ...]]] = {
    Table.RAW: (BATCH_NUMBER, ROW_NUMBER),
    Table.CLEAN: (BATCH_NUMBER, ROW_NUMBER),
    Table.QUARANTINE: tuple(COLUMNS[Table.QUARANTINE]),
}
"""What rows are sorted by. In quarantine a row has a line per broken rule."""


def lake_schema(table: Table) -> pl.Schema:
    """Names and types of a table's columns, in order, as `Lake.read` gives them."""
    return pl.Schema({name: column.dtype for name, column in COLUMNS[table].items()})


def rows_of_batch(table: Table, batch_number: int, frame: pl.DataFrame) -> pl.DataFrame:
    """Bring the rows of a batch into the form of a table: its columns in order, sorted.

    Args:
        table: Which table.
        batch_number: Of every row; the column 'batch_number' may be absent.
        frame: The columns of the table in any order. Integers may have any width that holds the values.

    Raises:
        RowsError: Columns are missing, unknown, of another type or null where they must not be, rows are of another
            batch, or two rows have the same number.
    """
    if BATCH_NUMBER not in frame.columns:
        frame = frame.with_columns(pl.lit(batch_number, pl.Int32).alias(BATCH_NUMBER))
    _check_names(table, frame)
    rows = frame.select(_fitted(table, frame[name], column) for name, column in COLUMNS[table].items())
    if (rows[BATCH_NUMBER] != batch_number).any():
        found = rows[BATCH_NUMBER].unique().sort().to_list()
        raise RowsError(table, f"they are of batch {batch_number!r}, but 'batch_number' is {found!r}")
    if table is not Table.QUARANTINE and rows[ROW_NUMBER].n_unique() < rows.height:
        raise RowsError(table, "two rows have the same 'row_number'")
    in_order = table is not Table.QUARANTINE and rows[ROW_NUMBER].is_sorted()
    return rows if in_order else rows.sort(ORDER[table])


def _check_names(table: Table, frame: pl.DataFrame) -> None:
    missing = [name for name in COLUMNS[table] if name not in frame.columns]
    unexpected = [name for name in frame.columns if name not in COLUMNS[table]]
    if missing or unexpected:
        raise RowsError(table, f"missing columns: {missing!r}, unexpected columns: {unexpected!r}")


def _fitted(table: Table, values: pl.Series, column: Column) -> pl.Series:
    name, dtype = values.name, column.dtype
    integers = values.dtype.is_integer() and dtype.is_integer()
    if values.dtype not in (dtype, pl.Null) and not integers:
        raise RowsError(table, f"the column {name!r} must be {dtype}, it is {values.dtype}")
    fitted = values.cast(dtype, strict=False)
    if fitted.null_count() > values.null_count():
        raise RowsError(table, f"the column {name!r} holds numbers that {dtype} cannot hold")
    if column.required and fitted.null_count():
        raise RowsError(table, f"the column {name!r} must be known in every row")
    return fitted
