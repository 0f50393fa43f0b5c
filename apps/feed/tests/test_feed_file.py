"""Files of listings: formats, types, gaps, and files that cannot be served."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from appraiser_feed.errors import (
    ColumnsMissingError,
    DataError,
    FileMissingError,
    FileUnreadableError,
    NoListingsError,
)
from appraiser_feed.feed import open_feed
from appraiser_feed.listing_file import read_listing_file
from appraiser_feed.settings import Settings

type Table = Callable[..., pl.DataFrame]

HEADER = "brokered_by,status,price,bed,bath,acre_lot,street,city,state,zip_code,house_size,prev_sold_date"
ROW = "101640.0,for_sale,289900.0,4.0,2.0,0.38,1758218.0,East Windsor,Connecticut,6016.0,1617.0,1999-09-30"


def read(folder: Path, text: str | bytes, name: str = "listings.csv") -> pl.DataFrame:
    """Write a file and read its listings."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_listing_file(path).listings


class TestFormats:
    """The same listings, written in other ways."""

    @pytest.mark.parametrize(
        "text",
        [
            f"{HEADER}\n{ROW}\n",
            f"\ufeff{HEADER}\r\n{ROW}\r\n",
            f"{HEADER.replace(',', ';')}\n{ROW.replace(',', ';')}",
            f"{HEADER.replace(',', ';')}\n{ROW.replace(',', ';').replace('.', ',')}",
            f"{HEADER.replace(',', chr(9))}\n{ROW.replace(',', chr(9))}",
            f"{HEADER.replace(',', ' , ')}\n{ROW.replace(',', ' , ')}",
            f"{HEADER}\n{ROW.replace('.0,', ',')}\n",
            f"{HEADER}\n{ROW.replace('289900.0', '2.899e5').replace('6016.0', '06016')}\n",
            f"{HEADER}\n{ROW.replace('6016.0', '06016-1234').replace('East Windsor', '"East Windsor"')}",
            f"group_number,day,batch_number,{HEADER}\n1,Tuesday,3,{ROW}\n",
        ],
        ids=[
            "plain",
            "bom",
            "semicolons",
            "commas in numbers",
            "tabs",
            "blanks",
            "whole",
            "scientific",
            "zip+4",
            "export",
        ],
    )
    def test_csv(self, tmp_path: Path, table: Table, text: str) -> None:
        """Delimiters, marks, blanks, numbers and extra columns do not matter."""
        assert read(tmp_path, text).equals(table({}))

    def test_order_of_columns(self, tmp_path: Path, table: Table) -> None:
        """Columns come in the order of the contract, whatever their order in the file."""
        path = tmp_path / "backwards.csv"
        table({}).select(pl.all().reverse()).select(reversed(table({}).columns)).write_csv(path)
        assert read_listing_file(path).listings.equals(table({}))

    def test_order_of_rows(self, tmp_path: Path, table: Table) -> None:
        """A file that is read in many parts at once keeps its order."""
        path = tmp_path / "long.csv"
        rows = pl.concat([table({})] * 60_000).with_columns(price=pl.int_range(60_000).cast(pl.Float64))
        rows.write_csv(path)
        assert read_listing_file(path).listings.equals(rows)

    def test_parquet(self, tmp_path: Path, table: Table) -> None:
        """Whole, short and categorical columns and real dates of a Parquet file become the contract's types."""
        path = tmp_path / "listings.data"
        table({}).with_columns(
            pl.col("bed", "zip_code", "street").cast(pl.Int64),
            pl.col("acre_lot").cast(pl.Float32),
            pl.col("state").cast(pl.Categorical),
            pl.col("price").cast(pl.Decimal(12, 2)),
            prev_sold_date=pl.lit(dt.date(1999, 9, 30)),
        ).write_parquet(path)
        assert read_listing_file(path).listings.equals(table({}))

    @pytest.mark.parametrize("form", ["list", "lines", "body"])
    def test_json(self, tmp_path: Path, table: Table, form: str) -> None:
        """A list of rows, one row per line, and the body of a batch are read as they are sent."""
        rows = table({}, {"price": None}, {"city": "Mayagüez"})
        if form == "lines":
            text = rows.write_ndjson()
        else:
            text = json.dumps(rows.to_dicts() if form == "list" else {"batch_number": 0, "data": rows.to_dicts()})
        assert read(tmp_path, text, "listings.json").equals(table({}, {"city": "Mayagüez"}))

    def test_names_as_codes(self, tmp_path: Path) -> None:
        """Brokers and streets that are names are sent as text, all of the column."""
        other = ROW.replace("101640.0", "Michael Hudson").replace("1758218.0", '"655 First St, 2"')
        rows = read(tmp_path, f"{HEADER}\n{ROW}\n{other}\n")
        assert rows["brokered_by"].to_list() == ["101640.0", "Michael Hudson"]
        assert rows["street"].to_list() == ["1758218.0", "655 First St, 2"]


class TestGaps:
    """Rows with something missing are not sent, as in the original."""

    @pytest.mark.parametrize("value", ["", "nan", "NaN", "-", "inf", "three", " "])
    def test_number(self, tmp_path: Path, value: str) -> None:
        """A number that is missing or unreadable drops its row."""
        rows = read(tmp_path, f"{HEADER}\n{ROW.replace('0.38', value)}\n{ROW}\n")
        assert rows.height == 1

    @pytest.mark.parametrize("column", HEADER.split(","))
    def test_every_column(self, tmp_path: Path, table: Table, column: str) -> None:
        """A gap in any column drops the row, and is counted."""
        path = tmp_path / "gap.csv"
        table({}, {column: None}, {}).write_csv(path)
        file = read_listing_file(path)
        assert file.listings.equals(table({}, {}))
        assert (file.rows_read, file.unknown) == (3, {column: 1})

    @pytest.mark.parametrize("row", [ROW.rpartition(",")[0], f"{ROW},more", ROW[:30]])
    def test_no_row(self, tmp_path: Path, row: str) -> None:
        """A row with too few or too many cells is dropped and counted, instead of moving cells to other columns."""
        path = tmp_path / "broken.csv"
        path.write_text(f"{HEADER}\n{row}\n{ROW}\n{row}")
        file = read_listing_file(path)
        assert (file.listings.height, file.rows_read, file.broken, file.unknown) == (1, 3, 2, {})

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
    def test_parquet(self, tmp_path: Path, table: Table, value: float | None) -> None:
        """NaN and infinity, which JSON cannot carry, count as missing."""
        path = tmp_path / "gap.parquet"
        table({}, {"price": value}).write_parquet(path)
        assert read_listing_file(path).listings.height == 1


class TestRefused:
    """Files that cannot be served: one sentence with the file, what is wrong and what to do."""

    @pytest.mark.parametrize(
        ("text", "error", "words"),
        [
            ("", NoListingsError, "is empty"),
            ("\n\n", NoListingsError, "is empty"),
            (HEADER, NoListingsError, "has a header but no rows"),
            (f"{HEADER}\n{ROW.replace('0.38', '')}\n", NoListingsError, "acre_lot in 1"),
            ("a,b\n1,2\n", ColumnsMissingError, "lacks the column(s) brokered_by, status, price"),
            (
                f"{HEADER.replace(',zip_code', '')}\n",
                ColumnsMissingError,
                "lacks the column(s) zip_code, it has brokered",
            ),
            (b"PK\x03\x04", FileUnreadableError, "is a spreadsheet or another zip archive; save it again as UTF-8"),
            (b"\x89PNG\r\n\x1a\n\0", FileUnreadableError, "is no text but a binary file"),
            (f"{HEADER}\n{ROW[:30]}", NoListingsError, "no whole row in 1"),
            (b"PAR1 is how a Parquet file starts", FileUnreadableError, "cannot be read"),
            (b"\xff\xfe" + HEADER.encode("utf-16-le"), FileUnreadableError, "save it again as UTF-8"),
            (
                f"{HEADER}\n{ROW}\n".replace("East", "Éast").encode("latin-1"),
                FileUnreadableError,
                "save it again as UTF-8",
            ),
        ],
        ids=[
            "empty",
            "blank",
            "header",
            "gaps",
            "other table",
            "no zip",
            "spreadsheet",
            "binary",
            "cut",
            "parquet",
            "utf-16",
            "latin-1",
        ],
    )
    def test_content(self, tmp_path: Path, text: str | bytes, error: type[DataError], words: str) -> None:
        """The message names the file and what is wrong with it."""
        with pytest.raises(error) as caught:
            read(tmp_path, text)
        assert words in str(caught.value)
        assert "listings.csv" in str(caught.value)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(("name", "words"), [("absent.csv", "does not exist"), ("", "is not a file")])
    def test_no_file(self, tmp_path: Path, name: str, words: str) -> None:
        """A path that is absent or a folder is named."""
        with pytest.raises(FileMissingError, match=words):
            read_listing_file(tmp_path / name)

    def test_nothing_in_the_plan(self, tmp_path: Path, table: Table) -> None:
        """Listings of which none belongs to a batch are refused before anything is served."""
        path = tmp_path / "plans.csv"
        table({"status": "ready_to_build"}).write_csv(path)
        with pytest.raises(NoListingsError, match="none belongs to any batch"):
            open_feed(Settings(data=path))


class TestServedText:
    """Text codes reach the client."""

    def test_json(self, tmp_path: Path, table: Table) -> None:
        """A broker's name stands in the body as text."""
        path = tmp_path / "names.csv"
        change: dict[str, Any] = {"brokered_by": "Hudson", "city": "Mayagüez"}
        table(change).write_csv(path)
        body = b"".join(open_feed(Settings(data=path)).batches[0].encoded())
        assert b'"brokered_by":"Hudson"' in body
        assert '"city":"Mayagüez"'.encode() in body
