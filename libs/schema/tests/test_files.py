"""Files of listings: formats, portions, and rows that are none."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraiser_schema import RAW_COLUMNS, files
from appraiser_schema.errors import EmptyFileError, FileError
from appraiser_schema.files import Format, Portion, csv_file, json_file, open_table, opening
from appraiser_schema.frames import ROW_NUMBER

ROWS: list[dict[str, Any]] = [
    {"city": "Hartford", "price": 1.5, "note": "a"},
    {"city": None, "price": 2.0, "note": "b"},
    {"city": "Mayagüez", "price": None, "note": "c"},
]


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let portions end within and between rows of small files."""
    for module in (csv_file, json_file):
        monkeypatch.setattr(module, "PORTION_BYTES", 7)
    monkeypatch.setattr(opening, "_ROWS_AT_ONCE", 2)


def read(path: Path, content: str | bytes) -> list[Portion]:
    """Write a file and read all of it."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(open_table(path).portions())


def rows_of(portions: Sequence[Portion]) -> list[dict[str, Any]]:
    """The good rows of all portions."""
    return [row for portion in portions for row in portion.rows.to_dicts()]


def broken_of(portions: Sequence[Portion]) -> list[tuple[int, str, str]]:
    """The broken rows of all portions."""
    return [row for portion in portions for row in portion.broken.rows()]


class TestFormats:
    """What a file is, its content tells."""

    @pytest.mark.parametrize(
        ("text", "form"),
        [
            (json.dumps(ROWS), Format.JSON_LIST),
            (json.dumps(ROWS, indent=2), Format.JSON_LIST),
            ("\ufeff" + json.dumps(ROWS, ensure_ascii=False), Format.JSON_LIST),
            ("\n".join(map(json.dumps, ROWS)), Format.JSON_LINES),
            ("\r\n".join(map(json.dumps, ROWS)) + "\r\n\r\n", Format.JSON_LINES),
            (json.dumps({"group_number": 1, "day": "Tuesday", "batch_number": 0, "data": ROWS}), Format.BODY),
            (json.dumps({"data": ROWS, "group_number": 1}, indent=1), Format.BODY),
        ],
    )
    def test_json(self, tmp_path: Path, text: str, form: Format) -> None:
        """A list of rows, one row per line and the body of a batch give the same rows."""
        path = tmp_path / "rows.txt"
        portions = read(path, text)
        assert open_table(path).format == form
        assert rows_of(portions) == [{ROW_NUMBER: n} | row for n, row in enumerate(ROWS, 1)]
        assert not broken_of(portions)
        assert len(portions) == 3

    def test_parquet(self, tmp_path: Path) -> None:
        """Parquet keeps its types and is read in portions."""
        path = tmp_path / "rows.csv"
        pl.DataFrame(ROWS).with_columns(bed=pl.lit(0.38, pl.Float32)).write_parquet(path)
        file = open_table(path)
        assert (file.format, file.columns) == (Format.PARQUET, ("city", "price", "note", "bed"))
        assert rows_of(list(file.portions())) == [
            {ROW_NUMBER: n} | row | {"bed": 0.38} for n, row in enumerate(ROWS, 1)
        ]

    def test_damaged_parquet(self, tmp_path: Path) -> None:
        """A Parquet file without its end is refused."""
        path = tmp_path / "rows.parquet"
        pl.DataFrame(ROWS).write_parquet(path)
        with pytest.raises(FileError, match="cannot be read as Parquet"):
            read(path, path.read_bytes()[:-20])

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"PK\x03\x04rest", "is a spreadsheet or another zip archive; save it again"),
            (b"\x1f\x8brest", "compressed with gzip"),
            ("price\n1".encode("utf-16"), "is UTF-16 text"),
            (b"price\n\x00\x01", "is no text but a binary file"),
            ("city,price\nMayagüez,1\n".encode("latin-1"), r"is not UTF-8 text in row 1 \(byte 0xfc\)"),
            ("cité,price\nA,1\n".encode("latin-1"), "is not UTF-8 text in its header"),
            ('[{"city": "Mayagüez"}]'.encode("latin-1"), "is not UTF-8 text at byte 16"),
            ("price,bed\r1,2\r", "ends its lines with a carriage return alone"),
            ("x" * 200_000 + ",bed\n", "has a header that cannot be read"),
            ("price,bed,price\n1,2,3\n", "has the column 'price' more than once"),
            ("[]", "is JSON without a row"),
            ("[1, 2]", "is JSON, but its first row is none: '1'"),
            ('{"price":\n{"0": 1}}', "is JSON, but its first row is none"),
            ('[{"price": 1} {"price": 2}, oops}]', "is no JSON at row 3"),
            ("[" * 15_000 + "}", "is no JSON at row 1"),
        ],
    )
    def test_no_table(self, tmp_path: Path, content: str | bytes, words: str) -> None:
        """What is no table in UTF-8 is refused with what it is and what to do."""
        with pytest.raises(FileError, match=words):
            read(tmp_path / "rows.csv", content)

    @pytest.mark.parametrize("content", ["", "\n \r\n", "\ufeff"])
    def test_empty(self, tmp_path: Path, content: str) -> None:
        """A file without a letter is empty."""
        with pytest.raises(EmptyFileError):
            read(tmp_path / "rows.csv", content)

    def test_column_of_numbers(self) -> None:
        """The row number has the name by which the checks know it."""
        assert files.ROW_NUMBER == ROW_NUMBER


class TestCells:
    """Cells of listing columns are written one way."""

    @pytest.mark.parametrize("word", [*files.NULLS, " ", " NA "])
    def test_nothing(self, tmp_path: Path, word: str) -> None:
        """Words for nothing are null, in CSV, JSON and Parquet; in other columns they stay."""
        row = {"city": word, "note": word}
        read_csv = read(tmp_path / "a", f"city,note\n{word},{word or '-'}\n")
        read_json = read(tmp_path / "b", json.dumps([row]))
        pl.DataFrame([row]).write_parquet(tmp_path / "c")
        for portions in (read_csv, read_json, list(open_table(tmp_path / "c").portions())):
            assert rows_of(portions)[0]["city"] is None
        assert rows_of(read_json)[0]["note"] == word

    def test_decimal_comma(self, tmp_path: Path) -> None:
        """Where semicolons divide cells, a comma divides a number."""
        assert rows_of(read(tmp_path / "a", "price;note\n1,5;1,5\n"))[0] == {
            ROW_NUMBER: 1,
            "price": "1.5",
            "note": "1,5",
        }

    def test_mixed_json(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A column with other things than numbers in it is text, and nothing is guessed."""
        monkeypatch.setattr(json_file, "PORTION_BYTES", 1000)
        cells = [1, 2.5, "x", True, [1], 10**400, None]
        rows = rows_of(read(tmp_path / "a", json.dumps([{"price": cell} for cell in cells])))
        texts = ["1", "2.5", "x", "true", "[1]", str(10**400), None]
        assert [row["price"] for row in rows] == texts

    def test_not_a_number(self, tmp_path: Path) -> None:
        """NaN, that Python writes into JSON, is read."""
        assert rows_of(read(tmp_path / "a", '[{"price": NaN, "bed": 1}]'))[0]["bed"] == 1


class TestBroken:
    """What is no row is told apart, with its number."""

    def test_cells(self, tmp_path: Path) -> None:
        """A row with too few or too many cells is broken; blank lines are no rows."""
        portions = read(tmp_path / "a", "city,price\na,1\nb\n\n\r\nc,2,3\r\nd,4\r\n")
        assert [(row[ROW_NUMBER], row["city"]) for row in rows_of(portions)] == [(1, "a"), (4, "d")]
        rule = "2 cells, as many as the header has"
        assert broken_of(portions) == [(2, rule, "b"), (3, rule, "c,2,3")]

    @pytest.mark.parametrize(
        "text",
        [
            "city,price\na,1\nb",
            'city,price\na,1\n"b',
            '[{"city": "a"}, {"city": "b',
            '[{"city": "a"}, {"city": "b", "price": 1',
            '[{"city": "a"},',
            '[{"city": "a"}',
            '{"city": "a"}\n{"city": "b',
            '{"batch_number": 0, "data": [{"city": "a"}, {"ci',
        ],
    )
    def test_cut(self, tmp_path: Path, text: str) -> None:
        """A file that ends in the middle of a row, or of its list, says so; the rows before are kept."""
        portions = read(tmp_path / "a", text)
        assert [row["city"] for row in rows_of(portions)] == ["a"]
        assert [(number, rule) for number, rule, _ in broken_of(portions)] == [(2, files.CUT_RULE)]

    def test_json(self, tmp_path: Path) -> None:
        """A line or an element that is no object is broken."""
        for text in ('{"city": "a"}\n{"city" "b"}\n{"city": "\\ud800"}\n', '[{"city": "a"}, [1], 7]'):
            portions = read(tmp_path / "a", text)
            assert [number for number, _, _ in broken_of(portions)] == [2, 3]

    @pytest.mark.parametrize("text", ['a,b\n1,2"x\n', 'a,b\n"1"x,2\n', 'a,b\n1,6" pipe\n3,4\n'])
    def test_quote_in_cell(self, tmp_path: Path, text: str) -> None:
        """A quote in the middle of a cell could move all that follows, so the file is refused."""
        with pytest.raises(FileError, match=r"quote .* in or before row 1"):
            read(tmp_path / "a", text)

    @pytest.mark.parametrize("text", ['a,b\n1,"' + "x\n" * 40, '[{"a": "' + "x" * 80])
    def test_no_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        """A row that never ends does not fill the memory."""
        for module in (csv_file, json_file):
            monkeypatch.setattr(module, "LONGEST_ROW_BYTES", 40)
        with pytest.raises(FileError, match="no end of row 1 within"):
            read(tmp_path / "a", text)


CELLS = st.text(st.sampled_from('ab ,;"\n\r\u00fc'), max_size=6)


class TestCsv:
    """Portions do not show."""

    @given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1), portion=st.integers(1, 40))
    def test_any_cells(
        self, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], portion: int
    ) -> None:
        """What Python writes as CSV is read as it was, wherever portions end."""
        path = tmp_path_factory.getbasetemp() / "any.csv"
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("x", "y"), *rows])
        path.write_bytes(text.getvalue().encode())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(csv_file, "PORTION_BYTES", portion)
            got = rows_of(list(open_table(path).portions()))
        assert [(row["x"] or "", row["y"] or "") for row in got] == rows
        assert [row[ROW_NUMBER] for row in got] == list(range(1, len(rows) + 1))

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_delimiters(self, tmp_path: Path, delimiter: str) -> None:
        """The delimiter is found, the mark and the blanks of a header left aside, the last line may lack its end."""
        header = delimiter.join(f" {column} " for column in RAW_COLUMNS)
        path = tmp_path / "a"
        portions = read(path, f"\ufeff{header}\r\n{delimiter.join(map(str, range(12)))}")
        assert open_table(path).delimiter == delimiter
        assert open_table(path).columns == RAW_COLUMNS
        assert [list(row.values()) for row in rows_of(portions)] == [[1, *map(str, range(12))]]
