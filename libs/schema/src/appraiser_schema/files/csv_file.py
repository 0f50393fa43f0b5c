"""CSV: header and delimiter, and rows in portions, each row with as many cells as the header (RFC 4180)."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from appraiser_schema.errors import EmptyFileError, FileError
from appraiser_schema.files.portions import (
    CUT_RULE,
    LONGEST_ROW_BYTES,
    PORTION_BYTES,
    ROW_NUMBER,
    Portion,
    broken_rows,
    plain,
)

_DELIMITERS: Final = ",;\t|"
_MARK: Final = b"\xef\xbb\xbf"
_QUOTE, _LINE_FEED, _RETURN = b'"\n\r'
_SAVE_AS_UTF8: Final = "save it again as UTF-8"


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """How a CSV file begins.

    Attributes:
        columns: Names of its columns.
        delimiter: What divides its cells.
        size_bytes: Where the first row begins.
    """

    columns: tuple[str, ...]
    delimiter: str
    size_bytes: int


def read_header(path: Path) -> CsvHeader:
    """Read the names of the columns; the delimiter is the one that stands most often between them.

    Raises:
        EmptyFileError: There is nothing in it.
        FileError: It is no UTF-8, or two columns have one name.
    """
    with path.open("rb") as file:
        line = file.readline(LONGEST_ROW_BYTES).removeprefix(_MARK)
        while line and not line.strip():
            line = file.readline(LONGEST_ROW_BYTES)
        size = file.tell()
    if not line:
        raise EmptyFileError
    header = _decoded(line, 0).strip("\r\n")
    delimiter = max(_DELIMITERS, key=header.count)
    if "\r" in header:
        raise FileError("ends its lines with a carriage return alone", "save it again with line feeds")
    try:
        names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter))]
    except csv.Error as error:
        raise FileError(
            f"has a header that cannot be read ({error})", "begin it with the names of the columns"
        ) from None
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise FileError(f"has the column {twice[0]!r} more than once", "leave one of them")
    return CsvHeader(tuple(name or f"column_{n}" for n, name in enumerate(names, 1)), delimiter, size)


def read_portions(path: Path, header: CsvHeader) -> Iterator[Portion]:
    """Read the rows; each cell of a listing column is a text, or null.

    Raises:
        FileError: It cannot be read on, with the row at which that is.
    """
    kept, first = b"", 1
    with path.open("rb") as file:
        file.seek(header.size_bytes)
        while block := file.read(PORTION_BYTES):
            kept += block
            whole = _Lines(kept, header, first)
            if whole.size_bytes == 0 and len(kept) > LONGEST_ROW_BYTES:
                raise FileError(
                    f"has no end of row {first:,} within {LONGEST_ROW_BYTES >> 20} MB",
                    'close the quote (") that is open there, or remove it',
                )
            if whole.size_bytes:
                portion = whole.portion()
                yield portion
                first, kept = first + portion.height, kept[whole.size_bytes :]
    if kept:
        yield _last(kept, header, first)


def _last(text: bytes, header: CsvHeader, row: int) -> Portion:
    """The last line, that has no line feed: a row where it has all cells, otherwise cut off."""
    whole = _Lines(text + b"\n", header, row)
    portion = whole.portion()
    if not whole.size_bytes:
        broken = broken_rows([(row, CUT_RULE, _decoded(text, row))])
        return Portion(portion.rows, broken)
    return Portion(portion.rows, portion.broken.with_columns(rule=pl.lit(CUT_RULE)))


class _Lines:
    """The rows that end within a text which begins with a row.

    Attributes:
        size_bytes: Length of these rows; what follows is not looked at.
    """

    def __init__(self, text: bytes, header: CsvHeader, first: int) -> None:
        letters = np.frombuffer(text, dtype=np.uint8)
        outside = _outside_quotes(letters, header, first)
        self._text, self._header, self._first = text, header, first
        self._ends = np.flatnonzero((letters == _LINE_FEED) & outside)
        self._begins = np.concatenate([np.zeros(1, dtype=np.int64), self._ends[:-1] + 1])[: len(self._ends)]
        delimiters = np.flatnonzero((letters == ord(header.delimiter)) & outside)
        self._cells = np.diff(np.searchsorted(delimiters, self._ends), prepend=0) + 1
        sizes = self._ends - self._begins
        self._filled = (sizes > 1) | ((sizes == 1) & (letters[self._begins] != _RETURN))
        self.size_bytes = int(self._ends[-1]) + 1 if len(self._ends) else 0

    def portion(self) -> Portion:
        """The rows as a table, those with too few or too many cells apart."""
        _decoded(self._text[: self.size_bytes], self._first)
        whole = self._filled & (self._cells == len(self._header.columns))
        numbers = self._first + np.cumsum(self._filled) - 1
        rows = self._table(whole).insert_column(0, pl.Series(ROW_NUMBER, numbers[whole], dtype=pl.UInt32))
        rule = f"{len(self._header.columns)} cells, as many as the header has"
        places = np.flatnonzero(self._filled & ~whole).tolist()
        broken = broken_rows((int(numbers[n]), rule, self._line(n).decode(errors="replace")) for n in places)
        return Portion(rows, broken)

    def _table(self, whole: NDArray[np.bool_]) -> pl.DataFrame:
        schema = dict.fromkeys(self._header.columns, pl.String)
        if not whole.any():
            return pl.DataFrame(schema=schema).drop(ROW_NUMBER, strict=False)
        text = self._text[: self.size_bytes]
        if not whole.all():
            text = b"".join(map(self._line, np.flatnonzero(whole).tolist()))
        try:
            rows = pl.read_csv(
                text, has_header=False, infer_schema=False, schema=schema, separator=self._header.delimiter
            )
        except pl.exceptions.PolarsError as error:
            problem = str(error).partition("\n")[0].rstrip(".")
            raise FileError(f"cannot be read after row {self._first:,} ({problem})", "mend it there") from None
        # A file with semicolons comes from a place where the comma divides a number.
        return plain(rows.drop(ROW_NUMBER, strict=False), decimal_comma=self._header.delimiter == ";")

    def _line(self, place: int) -> bytes:
        return self._text[self._begins[place] : self._ends[place] + 1]


def _outside_quotes(letters: NDArray[np.uint8], header: CsvHeader, first: int) -> NDArray[np.bool_]:
    quotes = np.flatnonzero(letters == _QUOTE)
    if not len(quotes):
        return np.ones(len(letters), dtype=np.bool_)
    edges = np.array([_QUOTE, ord(header.delimiter), _LINE_FEED, _RETURN], dtype=np.uint8)
    framed = np.concatenate([[np.uint8(_LINE_FEED)], letters, [np.uint8(_LINE_FEED)]])
    opens = np.isin(framed[quotes[0::2]], edges)
    closes = np.isin(framed[quotes[1::2] + 2], edges)
    if not (opens.all() and closes.all()):
        place = min([*quotes[0::2][~opens][:1], *quotes[1::2][~closes][:1]])
        row = first + int(np.count_nonzero(letters[:place] == _LINE_FEED))
        raise FileError(
            f'has a quote (") in the middle of a cell in or before row {row:,}',
            "remove it, or put the cell between quotes and write the quote in it twice",
        )
    before: NDArray[np.uint8] = np.cumsum(letters == _QUOTE, dtype=np.uint8)
    return np.asarray(before % 2 == 0)


def _decoded(text: bytes, first: int) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        row = first + text.count(b"\n", 0, error.start)
        where = f"in row {row:,}" if first else "in its header"
        raise FileError(f"is not UTF-8 text {where} (byte {text[error.start]:#04x})", _SAVE_AS_UTF8) from None
