"""Reads what a person drops: CSV, Parquet, JSON or a spreadsheet, told apart by what is in it."""

import io
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import fastexcel
import polars as pl

from appraiser_schema.errors import FileError
from appraiser_schema.files import open_table
from appraiser_schema.frames import ROW_NUMBER

MOST_ROWS: Final = 500_000
"""More is for the command and the API: the page holds a file in memory as long as it is looked at."""

MOST_COLUMNS: Final = 500
UNPACKED_BYTES: Final = 512 * 1024 * 1024
"""What a spreadsheet may hold once it is unpacked, by its own words: a small file can hold a huge one."""

SPREADSHEETS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How spreadsheets begin: zip archives, and the older format of Office."""


class ReadError(Exception):
    """A file cannot be read as a table.

    Attributes:
        code: Why, as in the words of the page.
        detail: What the reader says of it, in English; empty where the code says all.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        self.code, self.detail = code, detail
        super().__init__(f"{code}: {detail}")


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A table as it was dropped.

    Attributes:
        name: Name of the file.
        rows: `row_number` and its columns as they came; the cells of text files are texts.
        broken: Rows that are no rows of the table: row_number, rule and value.
        sheets: Names of the sheets of a spreadsheet.
    """

    name: str
    rows: pl.DataFrame
    broken: pl.DataFrame
    sheets: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of its columns."""
        return [name for name in self.rows.columns if name != ROW_NUMBER]


def read_source(name: str, content: bytes, sheet: str | None = None) -> Source:
    """Read a file.

    Args:
        name: Its name, for people.
        content: What is in it.
        sheet: Sheet of a spreadsheet; the first where None.

    Raises:
        ReadError: It is no table, is damaged, is too long or has no rows.
    """
    is_book = content.startswith(SPREADSHEETS)
    source = _read_spreadsheet(name, content, sheet) if is_book else _read_table(name, content)
    if source.rows.is_empty():
        raise ReadError("empty")
    if len(source.columns) > MOST_COLUMNS:
        raise ReadError("columns")
    return source


def _read_table(name: str, content: bytes) -> Source:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "dropped"
        path.write_bytes(content)
        try:
            rows, broken = _portions(path)
        except FileError as error:
            raise ReadError("empty" if not content.strip() else "no_table", error.problem) from None
        except (pl.exceptions.PolarsError, OSError, ValueError) as error:
            raise ReadError("no_table", type(error).__name__) from None
    return Source(name, rows, broken)


def _portions(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    parts: list[pl.DataFrame] = []
    broken: list[pl.DataFrame] = []
    rows = 0
    for portion in open_table(path).portions():
        rows += portion.rows.height
        if rows > MOST_ROWS:
            raise ReadError("rows")
        parts.append(portion.rows)
        broken.append(portion.broken)
    if not parts:
        raise ReadError("empty")
    texts = {name for part in parts for name, dtype in part.schema.items() if dtype == pl.String}
    alike = [part.with_columns(pl.col(texts & set(part.columns)).cast(pl.String)) for part in parts]
    return pl.concat(alike, how="diagonal_relaxed"), pl.concat(broken)


def _read_spreadsheet(name: str, content: bytes, sheet: str | None) -> Source:
    _refuse_bomb(content)
    try:
        book = fastexcel.read_excel(content)
        sheets = tuple(book.sheet_names)
        table = book.load_sheet(sheet if sheet in sheets else sheets[0]).to_polars()
    except (fastexcel.FastExcelError, IndexError, ValueError, pl.exceptions.PolarsError) as error:
        raise ReadError("no_spreadsheet", type(error).__name__) from None
    if table.height > MOST_ROWS:
        raise ReadError("rows")
    rows = table.drop(ROW_NUMBER, strict=False).with_row_index(ROW_NUMBER, offset=1)
    empty = pl.DataFrame(schema={ROW_NUMBER: pl.UInt32, "rule": pl.String, "value": pl.String})
    return Source(name, rows, empty, sheets)


def _refuse_bomb(content: bytes) -> None:
    if not content.startswith(SPREADSHEETS[0]):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError) as error:
        raise ReadError("no_spreadsheet", type(error).__name__) from None
    if unpacked > UNPACKED_BYTES:
        raise ReadError("rows")
