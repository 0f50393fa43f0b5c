"""JSON: a list of rows, one row per line, or the body of a batch, read in portions of rows."""

import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from appraiser_schema.errors import FileError
from appraiser_schema.files.portions import (
    CUT_RULE,
    LONGEST_ROW_BYTES,
    PORTION_BYTES,
    ROW_NUMBER,
    Portion,
    broken_rows,
    plain,
)

LIST_IN_BODY: Final = re.compile(r'\s*\{[^}]*?"data"\s*:\s*\[')
BARE_LIST: Final = re.compile(r"\s*\[")
_BETWEEN: Final = re.compile(r"[\s,]*")
_END: Final = re.compile(r"\s*\]")
_ROW_RULE: Final = "a JSON object with the cells of a row"

type Row = tuple[int, Any, str]
"""Number of a row, what it decodes to (None where it does not), and its text."""


def starts_like_json(head: bytes) -> bool:
    """Whether a file that begins with these bytes is JSON: no header of a CSV file begins with a bracket."""
    return head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"[", b"{")


def find_list(head: bytes) -> re.Pattern[str] | None:
    """What leads to the first row of a list, `BARE_LIST` or `LIST_IN_BODY`; None where each line is a row."""
    text = head.decode("utf-8-sig", errors="ignore")
    return next((begin for begin in (BARE_LIST, LIST_IN_BODY) if begin.match(text)), None)


def read_portions(path: Path, begin: re.Pattern[str] | None) -> Iterator[Portion]:
    """Read the rows. A column with texts and numbers in one portion is of texts there.

    Args:
        path: The file.
        begin: What leads to the first row, as `find_list` tells.

    Raises:
        FileError: It is not UTF-8, or cannot be read on, with the row at which that is.
    """
    rows: list[Row] = []
    size = 0
    for row in _list_rows(path, begin) if begin else _line_rows(path):
        rows.append(row)
        size += len(row[2])
        if size >= PORTION_BYTES:
            yield _portion(rows)
            rows, size = [], 0
    if rows:
        yield _portion(rows)


def _line_rows(path: Path) -> Iterator[Row]:
    number, kept = 0, ""
    for text in _texts(path):
        *lines, kept = (kept + text).split("\n")
        _check_length(kept, number + 1)
        for line in filter(str.strip, lines):
            number += 1
            yield number, _object(line), line
    if kept.strip():
        row = _object(kept)
        yield number + 1, CUT_RULE if row is None else row, kept


def _object(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _list_rows(path: Path, begin: re.Pattern[str]) -> Iterator[Row]:
    texts = _texts(path)
    text = next(texts, "")
    while not (found := begin.match(text)):
        text += next(texts)
    place, number = found.end(), 1
    decode = json.JSONDecoder().raw_decode
    while True:
        place = _BETWEEN.match(text, place).end()  # type: ignore[union-attr] # it matches anything
        if _END.match(text, place):
            return
        try:
            row, end = decode(text, place)
        except (ValueError, RecursionError) as error:
            more = next(texts, "")
            text, place = text[place:] + more, 0
            if not more:
                yield number, _cut_or_raise(text, error, number), text
                return
            _check_length(text[: -len(more)], number)
            continue
        yield number, row, text[place:end]
        place, number = end, number + 1


def _cut_or_raise(text: str, error: Exception, number: int) -> str:
    """Tell the last row that was cut off from one in the middle that is no JSON."""
    if "}" not in text:
        return CUT_RULE
    raise FileError(f"is no JSON at row {number:,} ({error})", "mend it there, or write the file again")


def _check_length(text: str, number: int) -> None:
    if len(text) > LONGEST_ROW_BYTES:
        raise FileError(
            f"has no end of row {number:,} within {LONGEST_ROW_BYTES >> 20} MB of JSON",
            "give a list of rows, one row per line, or the body of a batch",
        )


def _texts(path: Path) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    with path.open("rb") as file:
        while block := file.read(PORTION_BYTES):
            try:
                yield decoder.decode(block)
            except UnicodeDecodeError as error:
                where = file.tell() - len(block) + error.start
                raise FileError(f"is not UTF-8 text at byte {where:,}", "save it again as UTF-8") from None


def _portion(rows: Sequence[Row]) -> Portion:
    whole = [isinstance(row, dict) and _is_unicode(row, text) for _, row, text in rows]
    good = [(number, row) for (number, row, _), is_row in zip(rows, whole, strict=True) if is_row]
    broken = broken_rows(
        (number, CUT_RULE if row is CUT_RULE else _ROW_RULE, text)
        for (number, row, text), is_row in zip(rows, whole, strict=True)
        if not is_row
    )
    names = dict.fromkeys(name for _, row in good for name in row)
    table = pl.DataFrame([_series(name, [row for _, row in good]) for name in names if name != ROW_NUMBER])
    numbers = pl.Series(ROW_NUMBER, [number for number, _ in good], dtype=pl.UInt32)
    return Portion(plain(table.insert_column(0, numbers)), broken)


def _is_unicode(row: Any, text: str) -> bool:
    """Whether the texts of a row can be written as UTF-8: half of a pair of surrogates cannot."""
    if "\\ud" not in text and "\\uD" not in text:
        return True
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _series(name: str, rows: Sequence[Mapping[str, Any]]) -> pl.Series:
    cells = [row.get(name) for row in rows]
    if all(cell is None or type(cell) is float or (type(cell) is int and abs(cell) < 2**63) for cell in cells):
        return pl.Series(name, cells, dtype=pl.Float64, strict=False)
    return pl.Series(name, [_text(cell) for cell in cells], dtype=pl.String)


def _text(cell: Any) -> str | None:
    return cell if cell is None or isinstance(cell, str) else json.dumps(cell)
