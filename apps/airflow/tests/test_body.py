"""The body of a batch, as bytes."""

import io
import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appraiser_pipeline import body as module
from appraiser_pipeline.body import BodyError, Head

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


def read_head(content: bytes) -> Head:
    """The head of these bytes."""
    return module.read_head(io.BytesIO(content))


def read_rows(content: bytes) -> pl.DataFrame:
    """The rows of these bytes."""
    return module.read_rows(io.BytesIO(content))


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

    def test_number_behind_the_rows(self) -> None:
        """The order of the names does not matter."""
        behind = b'{"data":[{"bed":1.0}],"day":"Tuesday","batch_number":2,"group_number":9}'
        assert read_head(behind) == Head(9, 2, "Tuesday")

    def test_large_head(self) -> None:
        """A body with more around its rows than is looked at first is read whole."""
        content = body(ROW).replace(b'{"group', b'{"note":"' + b"x" * 100_000 + b'","group')
        assert read_head(content).batch_number == 2
        assert read_rows(content).height == 1


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


def compact(*rows: object) -> bytes:
    """A body as the feed and the original write it: without blanks."""
    whole = {"group_number": 9, "day": "Tuesday", "batch_number": 2, "data": rows}
    return json.dumps(whole, separators=(",", ":")).encode()


def odd(*rows: object) -> bytes:
    """A body whose rows are divided as no writer does it."""
    return compact(*rows).replace(b"},{", b"}\n\t ,\r\n{")


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Portions of a row or two."""
    monkeypatch.setattr(module, "_PORTION_BYTES", 300)


@pytest.mark.usefixtures("small_portions")
class TestPortions:
    """A body that is read portion by portion gives what it holds, however it is written and wherever it is cut."""

    @pytest.mark.parametrize("form", [compact, body, odd], ids=["compact", "blanks", "odd"])
    def test_same_rows(self, form: Callable[..., bytes]) -> None:
        """Every row comes once, in its order, and a few at a time, whatever divides them."""
        rows = [ROW | {"street": float(i), "city": "x" * (i % 9)} for i in range(100)]
        assert read_rows(form(*rows)).rows(named=True) == rows
        assert max(portion.height for portion in module.read_portions(io.BytesIO(form(*rows)))) < 5

    @pytest.mark.parametrize(
        "change",
        [{"city": 5.0}, {"bed": True}, {"pool": 1.0}, {"pool": None, "city": None}, {"bed": None}, {"price": "many"}],
        ids=str,
    )
    def test_one_other_row(self, change: dict[str, Any]) -> None:
        """One row that has another cell, or another name in the place of one, is read as it stands."""
        other = {name: value for name, value in (ROW | change).items() if not ("pool" in change and name == "bath")}
        frame = read_rows(compact(*[ROW] * 30, other, *[ROW] * 30))
        assert ("pool" in frame.columns) == ("pool" in change)
        assert frame.height == 61
        for name in set(change) - {"pool"}:
            found, wanted = frame[name][30], change[name]
            assert found == (wanted if wanted is None or frame[name].dtype == pl.Float64 else str(wanted)), name

    def test_pretty(self) -> None:
        """A body with line breaks takes the slower way to the same table."""
        rows = [ROW | {"street": float(i)} for i in range(9)]
        pretty = json.dumps(json.loads(compact(*rows)), indent=2).encode()
        assert read_rows(pretty).equals(read_rows(compact(*rows)))

    @pytest.mark.parametrize("text", ["},{", "}, {", '"},{"', 'a"data":[', "\\", "\n", "Mayagüez", "\U0001f3e0", "]"])
    def test_treacherous_texts(self, text: str) -> None:
        """What divides rows may stand in a text."""
        rows = [ROW | {"street": float(i), "city": text} for i in range(20)]
        assert read_rows(compact(*rows)).rows(named=True) == rows

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(
            st.fixed_dictionaries(
                {
                    "city": st.none() | st.text(st.sampled_from('ab}{,"[]:\\ \né'), max_size=8),
                    "bed": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 2**53),
                    "street": st.just(1.0) | st.just("655 First St"),
                }
            ),
            min_size=1,
            max_size=12,
        )
    )
    def test_any_rows(self, changes: list[dict[str, Any]]) -> None:
        """Whatever stands in the cells, they come as they were written."""
        frame = read_rows(compact(*(ROW | change for change in changes)))
        assert frame["city"].to_list() == [change["city"] for change in changes]
        assert frame["bed"].to_list() == [change["bed"] for change in changes]
        if any(isinstance(change["street"], str) for change in changes):
            assert frame["street"].to_list() == [str(change["street"]) for change in changes]

    def test_text_in_a_number(self) -> None:
        """One text makes the whole column one of texts, whichever portion it came in."""
        rows = [ROW | {"bed": "three" if i == 7 else float(i)} for i in range(20)]
        assert read_rows(compact(*rows))["bed"].to_list() == [str(row["bed"]) for row in rows]

    def test_names_of_brokers(self) -> None:
        """Codes that are names are texts."""
        rows = [ROW | {"brokered_by": f"broker {i}"} for i in range(9)]
        assert read_rows(compact(*rows)).rows(named=True) == rows

    def test_column_that_comes_and_goes(self) -> None:
        """A name that only some portions have is unknown in the others; one that none has is missing."""
        rows = [ROW | ({"pool": 1.0} if i > 15 else {}) for i in range(20)]
        frame = read_rows(compact(*({n: v for n, v in row.items() if n != "bed"} for row in rows)))
        assert "bed" not in frame.columns
        assert frame["pool"].to_list() == [None] * 16 + [1.0] * 4

    def test_unknown_everywhere(self) -> None:
        """A column of nulls is there."""
        frame = read_rows(compact(*[ROW | {"bed": None, "city": None}] * 5))
        assert frame["bed"].null_count() == frame["city"].null_count() == 5

    @pytest.mark.parametrize("bad", [b"NaN", b"Infinity", b"1e999", b"01", b'"\xff"', b"[]", b"1}]}{"])
    def test_no_json(self, bad: bytes) -> None:
        """What is no JSON, or no cell, is refused wherever it stands."""
        content = compact(*[ROW] * 9, ROW | {"bath": 77.0}, *[ROW] * 9).replace(b"77.0", bad)
        with pytest.raises(BodyError):
            read_rows(content)
