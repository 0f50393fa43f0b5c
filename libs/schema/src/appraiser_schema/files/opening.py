"""Opens a file of listings: which format it is in, by its content alone, and which columns it has."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import polars as pl

from appraiser_schema.errors import EmptyFileError, FileError
from appraiser_schema.files import csv_file, json_file
from appraiser_schema.files.portions import ROW_NUMBER, Portion, broken_rows, plain

_HEAD_BYTES: Final = 65_536
_PARQUET: Final = b"PAR1"
_ROWS_AT_ONCE: Final = 65_536
_AS_TABLE: Final = "save it again as UTF-8 CSV, Parquet or JSON"
_FOREIGN: Final = {
    b"PK\x03\x04": "is a spreadsheet or another zip archive",
    b"\x1f\x8b": "is compressed with gzip",
    b"\xd0\xcf\x11\xe0": "is an old spreadsheet",
    b"\xff\xfe": "is UTF-16 text",
    b"\xfe\xff": "is UTF-16 text",
    b"%PDF": "is a PDF",
    b"SQLite format 3\0": "is an SQLite database",
}
"""How files begin that people take for tables."""


class Format(StrEnum):
    """In which form rows stand in a file."""

    CSV = "CSV"
    PARQUET = "Parquet"
    JSON_LIST = "JSON list"
    JSON_LINES = "JSON lines"
    BODY = "body of a batch"


_JSON: Final = {
    None: Format.JSON_LINES,
    json_file.BARE_LIST: Format.JSON_LIST,
    json_file.LIST_IN_BODY: Format.BODY,
}


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file of rows.

    Attributes:
        format: In which form they stand there.
        columns: Names of its columns; of JSON, those that occur in its first portion.
        delimiter: What divides the cells of a CSV file; empty otherwise.
    """

    path: Path
    format: Format
    columns: tuple[str, ...]
    _rows: Callable[[], Iterator[Portion]] = field(repr=False)
    delimiter: str = ""

    def portions(self) -> Iterator[Portion]:
        """Read the rows from the first on, a portion of bounded size at a time.

        Raises:
            FileError: It cannot be read on.
        """
        return self._rows()


def open_table(path: Path) -> TableFile:
    """Open a file of rows; its name does not matter.

    Raises:
        EmptyFileError: There is nothing in it.
        FileError: It is no table, is damaged or not UTF-8.
        OSError: It cannot be read at all.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(_PARQUET):
        return TableFile(path, Format.PARQUET, _parquet_columns(path), lambda: _parquet_portions(path))
    _refuse_foreign(head)
    if not head.removeprefix(b"\xef\xbb\xbf").strip() and len(head) < _HEAD_BYTES:
        raise EmptyFileError
    if json_file.starts_like_json(head):
        return _open_json(path, json_file.find_list(head))
    header = csv_file.read_header(path)
    columns = tuple(column for column in header.columns if column != ROW_NUMBER)
    return TableFile(path, Format.CSV, columns, lambda: csv_file.read_portions(path, header), header.delimiter)


def _refuse_foreign(head: bytes) -> None:
    for beginning, problem in _FOREIGN.items():
        if head.startswith(beginning):
            raise FileError(problem, _AS_TABLE)
    if b"\0" in head:
        raise FileError("is no text but a binary file", _AS_TABLE)


def _open_json(path: Path, begin: re.Pattern[str] | None) -> TableFile:
    first = next(json_file.read_portions(path, begin), None)
    if first is None:
        raise FileError("is JSON without a row", "give it rows")
    if first.rows.width == 1:
        raise FileError(
            f"is JSON, but its first row is none: {first.broken['value'].item(0)[:60]!r}",
            "give a list of rows, one row per line, or the body of a batch",
        )
    columns = tuple(column for column in first.rows.columns if column != ROW_NUMBER)
    return TableFile(path, _JSON[begin], columns, lambda: json_file.read_portions(path, begin))


def _parquet_columns(path: Path) -> tuple[str, ...]:
    try:
        return tuple(c for c in pl.read_parquet_schema(path) if c != ROW_NUMBER)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(error) from None


def _parquet_portions(path: Path) -> Iterator[Portion]:
    first = 1
    try:
        for frame in pl.scan_parquet(path).collect_batches(
            chunk_size=_ROWS_AT_ONCE, maintain_order=True, lazy=True, engine="streaming"
        ):
            rows = frame.drop(ROW_NUMBER, strict=False).with_row_index(ROW_NUMBER, offset=first)
            first += rows.height
            yield Portion(plain(rows), broken_rows([]))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(error) from None


def _damaged(error: Exception) -> FileError:
    problem = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
    return FileError(f"cannot be read as Parquet ({problem})", "bring it here again")
