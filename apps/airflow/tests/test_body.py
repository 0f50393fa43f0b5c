"""The body of a batch, as bytes."""

import json
from typing import Any

import polars as pl
import pytest

from appraiser_pipeline.body import BodyError, Head, read_head, read_rows

ROW: dict[str, Any] = {
    "brokered_by": 1.0,
    "status": "sold",
    "price": 100000.0,
    "bed": 3.0,
    "bath": 2.0,
    "acre_lot": 0.1,
    "street": 2.0,
    "city": "Agawam",
    "state": "Massachusetts",
    "zip_code": 1001.0,
    "house_size": 1276.0,
    "prev_sold_date": "2012-10-12",
}


def body(*rows: object) -> bytes:
    """A body with these rows."""
    return json.dumps({"group_number": 9, "day": "Tuesday", "batch_number": 2, "data": rows}).encode()


class TestHead:
    """What stands beside the rows."""

    def test_read(self) -> None:
        """Group, day and number."""
        assert read_head(body(ROW)) == Head(9, 2, "Tuesday")

    def test_without_day(self) -> None:
        """The edition of 2026 has no day."""
        assert read_head(b'{"group_number":9,"batch_number":0,"data":[]}').day is None

    @pytest.mark.parametrize("bad", [b"", b"[]", b"{}", b"<html>", body(ROW)[:-20], b"\xff"])
    def test_no_batch(self, bad: bytes) -> None:
        """Bytes that are cut off or no batch are told apart from a batch."""
        with pytest.raises(BodyError, match="is not a batch"):
            read_head(bad)


class TestRows:
    """The rows as a table."""

    def test_types(self) -> None:
        """Numbers stay numbers and texts stay texts."""
        frame = read_rows(body(ROW, ROW | {"bed": None}))
        assert (frame["bed"].dtype, frame["city"].dtype) == (pl.Float64, pl.String)
        assert frame["bed"].to_list() == [3.0, None]

    def test_text_in_a_number(self) -> None:
        """A text among numbers makes a column of texts, in which no value is lost."""
        assert read_rows(body(ROW, ROW | {"bed": "three"}))["bed"].to_list() == ["3.0", "three"]

    def test_other_columns(self) -> None:
        """Columns that came and columns that are missing are seen."""
        row = {name: value for name, value in ROW.items() if name != "bed"} | {"pool": 1.0}
        assert set(read_rows(body(row)).columns) == (set(ROW) - {"bed"}) | {"pool"}

    def test_missing_in_one_row(self) -> None:
        """A name that one row lacks is unknown there."""
        row = {name: value for name, value in ROW.items() if name != "bed"}
        assert read_rows(body(ROW, row))["bed"].to_list() == [3.0, None]

    def test_no_rows(self) -> None:
        """An empty list is a table with all columns."""
        assert read_rows(body()).height == 0

    @pytest.mark.parametrize("bad", [b'{"data":3}', b'{"rows":[]}', b'{"data":[1]}', b'{"data":[{"bed":{}}]}', b"{"])
    def test_no_list(self, bad: bytes) -> None:
        """Anything else has no rows, and the message says so."""
        with pytest.raises(BodyError):
            read_rows(bad)
