"""`appraiser check-data`: each kind of file and fault by its name, as a report and as JSON, in bounded memory."""

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import Result

from appraiser_cli.errors import DataFileError
from appraiser_cli.listing_file import read_listings

type Run = Callable[..., Result]

LISTING: dict[str, Any] = {
    "brokered_by": 101640.0,
    "status": "for_sale",
    "price": 289900.0,
    "bed": 4.0,
    "bath": 2.0,
    "acre_lot": 0.38,
    "street": 1758218.0,
    "city": "East Windsor",
    "state": "Connecticut",
    "zip_code": 6016.0,
    "house_size": 1617.0,
    "prev_sold_date": "1999-09-30",
}
HEADER = ",".join(LISTING)
ROW = ",".join(map(str, LISTING.values()))


def _write_body(rows: pl.DataFrame, path: Path) -> None:
    path.write_text(json.dumps({"group_number": 1, "batch_number": 0, "data": rows.to_dicts()}))


WRITERS: dict[str, Callable[[pl.DataFrame, Path], None]] = {
    "CSV": lambda rows, path: rows.write_csv(path, include_bom=True),
    "Parquet": lambda rows, path: rows.write_parquet(path),
    "JSON list": lambda rows, path: rows.write_json(path),
    "JSON lines": lambda rows, path: rows.write_ndjson(path),
    "body of a batch": _write_body,
}
"""How the same rows are written in each format."""

MEASURE = """
import sys
from pathlib import Path
from appraiser_cli.check_data import examine
rows = examine(Path(sys.argv[1])).rows
status = Path("/proc/self/status").read_text()
print(rows, status.split("VmHWM:")[1].split()[0])
"""
"""The peak is that of the program alone: the one that getrusage tells begins with the memory of whoever started it."""


def table(*changes: dict[str, Any]) -> pl.DataFrame:
    """Rows of the good listing, each with changes, so that no two are the same."""
    return pl.DataFrame(
        [LISTING | {"street": float(n)} | change for n, change in enumerate(changes)], infer_schema_length=None
    )


@pytest.fixture
def told(appraiser: Run, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """What is told of rows, or of a file with this content."""

    def examine(content: pl.DataFrame | str, form: str = "CSV") -> dict[str, Any]:
        path = tmp_path / ("in.parquet" if form == "Parquet" else "in.json" if form[:3] != "CSV" else "in.csv")
        if isinstance(content, str):
            path.write_text(content)
        else:
            WRITERS[form](content, path)
        result = appraiser("check-data", str(path), "--json")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        answer: dict[str, Any] = json.loads(result.stdout)
        assert result.exit_code == (0 if answer["usable"] else 1)
        return answer

    return examine


class TestRules:
    """A fault in a cell has a name, and one outcome in every format."""

    @pytest.mark.parametrize("form", WRITERS)
    @pytest.mark.parametrize(
        ("change", "outcome", "rule"),
        [
            ({}, "usable", None),
            ({"price": "$279,900"}, "incomplete", "a number without currency sign and commas, such as 279900"),
            ({"price": "a lot"}, "incomplete", "a number"),
            ({"price": "289900"}, "usable", None),
            ({"price": None}, "incomplete", "known"),
            ({"price": 1.0}, "refused", "at least 10000.0"),
            ({"bed": -1.0}, "refused", "at least 0"),
            ({"status": "s"}, "unplanned", "one of for_sale, sold, ready_to_build"),
            ({"state": "CT"}, "refused", "one of Alabama, Alaska, … (54 in all)"),
            ({"prev_sold_date": "2113-10-25"}, "refused", "not after the day the batch was received, {today}"),
            ({"prev_sold_date": "30.9.1999"}, "refused", "a date written as YYYY-MM-DD"),
            ({"zip_code": 6016.0}, "usable", None),
            ({"zip_code": "06016"}, "usable", None),
            ({"zip_code": "06016-1234"}, "usable", None),
            ({"zip_code": 1234567.0}, "refused", "a whole number from 1 to 99999"),
            ({"zip_code": "1234567.0"}, "refused", "a whole number from 1 to 99999"),
            ({"zip_code": 6016.5}, "refused", "a whole number from 1 to 99999"),
            ({"zip_code": "O6016"}, "incomplete", "a number"),
            ({"city": " NA "}, "incomplete", None),
            ({"status": "ready_to_build"}, "unplanned", None),
        ],
        ids=str,
    )
    def test_outcome(
        self, told: Callable[..., dict[str, Any]], form: str, change: dict[str, Any], outcome: str, rule: str | None
    ) -> None:
        """A row with the fault: where it goes, and by which rule."""
        answer = told(table(change), form)
        assert (answer["format"], answer["rows"], answer[outcome]) == (form, 1, 1)
        today = str(dt.datetime.now(dt.UTC).date())
        rules = [rule.format(today=today)] if rule else []
        assert [fault["rule"] for fault in answer["faults"]] == rules
        if rule and rule != "known":
            (column, value), *_ = change.items()
            example = {"row": 1, "value": str(value)}
            assert [(fault["column"], fault["examples"]) for fault in answer["faults"]] == [(column, [example])]

    def test_worst_examples(self, told: Callable[..., dict[str, Any]]) -> None:
        """The three values farthest out are shown, each once, with the first row that has it."""
        beds = [51, 70, 60, 999, 70, 52]
        (fault,) = told(table(*({"bed": float(bed)} for bed in beds)))["faults"]
        assert (fault["column"], fault["rule"], fault["rows"]) == ("bed", "at most 50", 6)
        assert fault["examples"] == [
            {"row": 4, "value": "999.0"},
            {"row": 2, "value": "70.0"},
            {"row": 3, "value": "60.0"},
        ]

    def test_every_row_is_counted_once(self, told: Callable[..., dict[str, Any]]) -> None:
        """A row is usable, refused, or left out by the feed as incomplete or as in no batch of its plan."""
        answer = told(table({}, {"bed": -1.0}, {"bath": None, "bed": -1.0}, {"status": "ready_to_build"}), "Parquet")
        counts = [answer[name] for name in ("rows", "usable", "refused", "incomplete", "unplanned")]
        assert counts == [4, 1, 1, 1, 1]
        assert answer["missing"] == {"bath": 1}
        assert [(fault["column"], fault["rows"]) for fault in answer["faults"]] == [("bed", 2)]

    def test_repeats_far_apart(self, told: Callable[..., dict[str, Any]]) -> None:
        """A repeat is found however far from the first it stands, also where it is written otherwise."""
        rows = pl.concat([table({})] * 70_000).with_columns(street=pl.int_range(70_000).cast(pl.Float64))
        again = rows.head(2).with_columns(city=pl.lit(" East Windsor "))
        answer = told(pl.concat([rows, again]))
        assert (answer["usable"], answer["repeated"]) == (70_002, 2)


class TestShapes:
    """A fault of the whole file has a name."""

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_delimiters(self, told: Callable[..., dict[str, Any]], delimiter: str) -> None:
        """Any of the four delimiters is found; with semicolons a comma divides a number."""
        row = ROW.replace(",", delimiter)
        row = row.replace("0.38", "0,38") if delimiter == ";" else row
        answer = told(f"\ufeff{HEADER.replace(',', delimiter)}\r\n{row}\r\n{delimiter.join(['NA'] * 12)}\r\n")
        assert (answer["delimiter"], answer["rows"], answer["usable"], answer["incomplete"]) == (delimiter, 2, 1, 1)

    def test_extra_columns(self, told: Callable[..., dict[str, Any]]) -> None:
        """Columns that no listing has are left aside, and named."""
        answer = told(f"note,{HEADER},row_number\nx,{ROW},7\n")
        assert (answer["usable"], answer["ignored"]) == (1, ["note"])

    @pytest.mark.parametrize("row", [ROW.rpartition(",")[0], f"{ROW},more"])
    def test_other_number_of_cells(self, told: Callable[..., dict[str, Any]], row: str) -> None:
        """A row with too few or too many cells is left out, and the rows after it are read."""
        answer = told(f"{HEADER}\n{row}\n{ROW}\n")
        assert (answer["usable"], answer["incomplete"], answer["cut"]) == (1, 1, False)
        (fault,) = answer["faults"]
        assert (fault["column"], fault["rule"]) == ("(whole row)", "12 cells, as many as the header has")
        assert fault["examples"] == [{"row": 1, "value": row}]

    @pytest.mark.parametrize("form", ["CSV", "JSON list", "JSON lines", "body of a batch"])
    def test_cut_in_half(self, told: Callable[..., dict[str, Any]], tmp_path: Path, form: str) -> None:
        """Of a file that was cut in the middle of its last row, the rows before are told, and that it was cut."""
        WRITERS[form](table({}, {}), tmp_path / "whole")
        answer = told((tmp_path / "whole").read_text()[:-60].removeprefix("\ufeff"), form)
        assert (answer["rows"], answer["usable"], answer["incomplete"], answer["cut"]) == (2, 1, 1, True)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "is empty; give one with listings"),
            (b"\n \n", "is empty; give one with listings"),
            (HEADER.encode(), "has a header but no rows"),
            (
                f"{HEADER.replace(',zip_code', '')}\n{ROW}\n".encode(),
                "lacks the column(s) zip_code, it has brokered_by",
            ),
            (b'[{"price": 1}]', "lacks the column(s) brokered_by, status, bed"),
            (b"\x89PNG\r\n\x1a\n\0\0", "is no text but a binary file; save it again as UTF-8 CSV, Parquet or JSON"),
            (b"PK\x03\x04", "is a spreadsheet or another zip archive"),
            (f"{HEADER}\n{ROW}\n".encode("utf-16"), "is UTF-16 text; save it again as UTF-8"),
            (f"{HEADER}\n{ROW}\n".replace("East", "Éast").encode("latin-1"), "is not UTF-8 text in row 1 (byte 0xc9)"),
            (f"{HEADER}\n{ROW.replace('East', chr(34) + 'East')}\n".encode(), "was cut"),
        ],
        ids=["empty", "blank", "header", "no zip", "json", "binary", "spreadsheet", "utf-16", "latin-1", "open quote"],
    )
    def test_refused(self, appraiser: Run, tmp_path: Path, content: bytes, words: str) -> None:
        """A file that cannot be read at all is one sentence: the file, what is wrong, what to do; exit code 1."""
        path = tmp_path / "in.csv"
        path.write_bytes(content)
        result = appraiser("check-data", str(path))
        if words == "was cut":
            assert "ends in the middle of a row" in result.stdout
        else:
            assert isinstance(result.exception, DataFileError)
            assert f"'{path}' {words}" in str(result.exception)
        assert result.exit_code == 1


class TestReport:
    """What a person reads."""

    def test_fits_80_columns(self, appraiser: Run, tmp_path: Path) -> None:
        """All is told within 80 columns, whatever stands in the file."""
        path = tmp_path / "in.csv"
        table({}, {"city": "[red]" + "x" * 300}, {"state": "y" * 300}, {"price": 10.0}, {"bath": None}).write_csv(path)
        result = appraiser("check-data", str(path))
        assert result.exit_code == 0
        assert max(map(len, result.stdout.splitlines())) <= 80
        assert "row 4: 10.0" in result.stdout
        assert "Without a value: bath in 1." in result.stdout
        assert "[red]xxx" in result.stdout

    def test_nothing_wrong(self, appraiser: Run, tmp_path: Path) -> None:
        """Of a faultless file little is said."""
        path = tmp_path / "in.csv"
        table({}, {}).write_csv(path)
        words = appraiser("check-data", str(path)).stdout.split()
        assert words == ["in.csv:", "CSV,", "divided", "by", "commas,", "2", "rows", "2", "usable"]

    def test_real_file_cut_in_half(self, appraiser: Run, sample_data: Path) -> None:
        """Of a real upload that broke off, the half row is shown with its number."""
        result = appraiser("check-data", str(sample_data / "listings" / "truncated_upload.csv"))
        assert result.exit_code == 0
        assert "The file ends in the middle of a row" in result.stdout
        assert "row 12886:" in result.stdout


class TestWholeFile:
    """What appraises a file reads all of it, or nothing."""

    @pytest.mark.parametrize("form", WRITERS)
    def test_every_format(self, tmp_path: Path, form: str) -> None:
        """The same rows come of every format."""
        path = tmp_path / ("in.parquet" if form == "Parquet" else "in.json")
        WRITERS[form](table({}, {"zip_code": "06016"}), path)
        rows = read_listings(path)
        assert rows["row_number"].to_list() == [1, 2]
        assert rows["city"].to_list() == ["East Windsor"] * 2

    def test_broken_row(self, tmp_path: Path) -> None:
        """A row that is none would have no answer, so the file is refused with the row and what stands there."""
        path = tmp_path / "in.csv"
        path.write_text("state,city\nTexas,Austin\nTexas\n")
        with pytest.raises(DataFileError, match=r"in the place of row 2: not 2 cells, .* but 'Texas'; mend it"):
            read_listings(path)

    def test_no_rows(self, tmp_path: Path) -> None:
        """A header alone is a table without rows."""
        path = tmp_path / "in.csv"
        path.write_text("state,city\n")
        assert read_listings(path).columns == ["row_number", "state", "city"]


class TestMemory:
    """A file may be larger than the memory."""

    @pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
    def test_does_not_follow_the_file(self, tmp_path: Path, suffix: str) -> None:
        """Of 80 MB more of file little is ever in memory at once, when as much as is read ahead is there."""
        head, line = f"{HEADER}\n".encode(), f"{ROW}\n".encode()
        if suffix == ".jsonl":
            head, line = b"", json.dumps(LISTING).encode() + b"\n"
        peaks = []
        for size_mb in (30, 110):
            path = tmp_path / f"{size_mb}{suffix}"
            path.write_bytes(head + line * (size_mb * 1_000_000 // len(line)))
            done = subprocess.run([sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True)
            rows_read, peak_kb = map(int, done.stdout.split())
            assert rows_read == size_mb * 1_000_000 // len(line)
            peaks.append(peak_kb / 1024)
        assert peaks[1] - peaks[0] < 50, peaks
