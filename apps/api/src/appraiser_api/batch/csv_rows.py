"""Reads listings from CSV, a block at a time."""

import csv
from collections.abc import Iterator
from typing import IO, Any, Final

import polars as pl
import pyarrow as pa
from pyarrow import csv as arrow_csv

from appraiser_api.batch.chunks import CHUNK_ROWS, Chunk, Fault, check_names
from appraiser_api.batch.errors import BatchBodyError
from appraiser_api.errors import MEBIBYTE
from appraiser_schema import LISTING_COLUMNS
from appraiser_schema.frames import ROW_NUMBER

BLOCK_BYTES: Final = 2 * MEBIBYTE

_DELIMITERS: Final = ",;\t|"
_NULLS: Final = ["", "-", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]
"""Delimiters and words for nothing, as the listing feed knows them."""


def read_csv(file: IO[bytes]) -> tuple[Iterator[Chunk], tuple[str, ...]]:
    """Read a CSV with a header; the delimiter is the commonest of comma, semicolon, tab and bar in it.

    Returns:
        The chunks, and the columns that are not looked at.

    Raises:
        BatchBodyError: There is no header, or the text is not UTF-8.
        BatchShapeError: The header names no state.
    """
    names, delimiter = _header(file)
    ignored = check_names(names)
    return _chunks(file, names, delimiter), ignored


def _header(file: IO[bytes]) -> tuple[list[str], str]:
    line = file.readline(BLOCK_BYTES)
    file.seek(0)
    try:
        text = line.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError as error:
        raise BatchBodyError("CSV", f"must be UTF-8: {error}", line[:60]) from None
    if not text.strip():
        raise BatchBodyError("CSV", "must begin with a line of column names", line[:60])
    delimiter = max(_DELIMITERS, key=text.count)
    return [name.strip() for name in next(csv.reader([text], delimiter=delimiter))], delimiter


def _chunks(file: IO[bytes], names: list[str], delimiter: str) -> Iterator[Chunk]:
    bad: list[Any] = []

    def put_aside(row: Any) -> str:
        bad.append(row)
        return "skip"

    try:
        reader = arrow_csv.open_csv(
            file,
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=BLOCK_BYTES, column_names=names, skip_rows=1
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=put_aside
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=[name for name in names if name in LISTING_COLUMNS],
                strings_can_be_null=True,
                null_values=_NULLS,
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise BatchBodyError("CSV", f"must be a table: {_first_line(error)}", "") from None
    yield from _numbered(reader, bad, comma=delimiter == ";")


def _numbered(reader: Any, bad: list[Any], *, comma: bool) -> Iterator[Chunk]:
    """Number the rows as they stand in the file, those that were put aside among them."""
    following = 1
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            break
        except pa.ArrowInvalid as error:
            raise BatchBodyError("CSV", f"must be a table from row {following} on: {_first_line(error)}", "") from None
        # The header is line 1 of the file, so that the first row is number 2 there.
        faults = {row.number - 1: _fault(row) for row in bad}
        bad.clear()
        numbers = _free_numbers(following, batch.num_rows, set(faults))
        following = max([following - 1, *numbers[-1:], *faults]) + 1
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a batch of records is a table
        yield from _portions(_cells(frame, comma=comma), numbers, list(faults.values()))
    if bad:
        yield Chunk(pl.DataFrame(schema={ROW_NUMBER: pl.UInt32, "state": pl.String}), [_fault(row) for row in bad])


def _portions(frame: pl.DataFrame, numbers: list[int], faults: list[Fault]) -> Iterator[Chunk]:
    whole = frame.with_columns(pl.Series(ROW_NUMBER, numbers, dtype=pl.UInt32))
    parts = list(whole.iter_slices(CHUNK_ROWS)) or [whole]
    for part in parts:
        yield Chunk(part, faults if part is parts[0] else [])


def _cells(frame: pl.DataFrame, *, comma: bool) -> pl.DataFrame:
    # A file with semicolons comes from a place where the comma divides a number.
    return frame.with_columns(pl.all().str.replace(r"^(-?\d+),(\d+)$", "$1.$2")) if comma else frame


def _free_numbers(first: int, rows: int, taken: set[int]) -> list[int]:
    numbers: list[int] = []
    number = first
    while len(numbers) < rows:
        if number not in taken:
            numbers.append(number)
        number += 1
    return numbers


def _fault(row: Any) -> Fault:
    text = str(row.text)
    return Fault(
        row.number - 1, "row", f"{row.expected_columns} cells, as the header has; it has {row.actual_columns}", text
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
