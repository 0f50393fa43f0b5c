"""The quick way through the doors gives what the long way gives."""

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from appraiser_schema import LISTING_COLUMNS
from appraiser_schema.as_written import part_as_written
from appraiser_schema.frames import (
    FAILURE_SCHEMA,
    ROW_NUMBER,
    Checked,
    check_clean,
    check_raw,
    clean_columns,
    clean_unpriced,
    coerce,
    normalise,
    number_rows,
    to_columns,
)

TEXTS: tuple[str | None, ...] = (
    *(None, "", " ", "\t", "\u00a0", "-", "Texas", " Texas ", "texas", "for_sale", "sold ", "Zürich", "x" * 101),
    *("3", " 3", "3.0", "03", "+3", "-3", "-0", "1e3", "0x1", "1_000", "nan", "NaN", "inf", "-inf", "null", "99999999"),
    *(
        "00601",
        "601",
        "601.0",
        "601.5",
        ".0",
        "00000",
        "0",
        "77001-1234",
        " 77001",
        "\u0667\u0667\u0660\u0660\u0661",
        "770011",
        "-7701",
        "7700a",
    ),
    *("2020-02-03", " 2020-02-03", "2020-2-3", "2020-02-30", "0000-00-00", "1899-12-31", "2100-01-01", "20200203"),
)
NUMBERS = (None, 0.0, -0.0, 3.0, 0.5, -1.0, 99_999.0, 100_000.0, 1e300, float("nan"), float("inf"), -float("inf"))
DAYS = (None, dt.date(2020, 2, 3), dt.date(1, 1, 1), dt.date(1900, 1, 1), dt.date(9999, 12, 31))
CELLS: dict[str, pl.Series] = {
    "texts": pl.Series(TEXTS, dtype=pl.String),
    "floats": pl.Series(NUMBERS, dtype=pl.Float64),
    "short floats": pl.Series(NUMBERS[:8], dtype=pl.Float32),
    "whole": pl.Series([None, 0, 3, -3, 601, 99_999, 100_000, 2**62], dtype=pl.Int64),
    "days": pl.Series(DAYS, dtype=pl.Date),
    "moments": pl.Series([None, dt.datetime(2020, 2, 3, 4, 5), dt.datetime(1899, 1, 1)], dtype=pl.Datetime),  # noqa: DTZ001
    "nothing": pl.Series([None, None], dtype=pl.Null),
}


def the_long_way(frame: pl.DataFrame) -> Checked:
    """All three doors, one after the other."""
    if "status" not in frame.columns:
        frame = frame.with_columns(status=pl.lit("for_sale"))
    typed = coerce(frame, missing_ok=True, extra_ok=True)
    raw = check_raw(typed.good.with_columns(price=pl.lit(10_000.0)))
    clean = check_clean(normalise(raw.good).select(ROW_NUMBER, *LISTING_COLUMNS))
    failures = pl.concat([typed.failures, raw.failures, clean.failures]).sort(ROW_NUMBER, "column", "rule")
    return Checked(clean.good, failures)


def houses(rows: int, **columns: Any) -> pl.DataFrame:
    """Rows that are good but for what is given."""
    good = {"status": "sold", "state": "Texas", "city": "Austin", "zip_code": "78701", "prev_sold_date": "2020-02-03"}
    given = {name: pl.lit(value) for name, value in good.items()}
    return pl.DataFrame({"bed": [3.0] * rows}, schema={"bed": pl.Float64}).with_columns(**given).with_columns(**columns)


def assert_same(frame: pl.DataFrame) -> None:
    """Both ways give the same listings and the same failures; with columns or without."""
    quick, long = clean_unpriced(frame), the_long_way(frame)
    assert_frame_equal(quick.good, long.good)
    assert_frame_equal(quick.failures, long.failures)
    checked, columns = clean_columns(frame)
    assert_frame_equal(checked.good, long.good)
    assert_frame_equal(checked.failures, long.failures)
    plain = to_columns(long.good)
    for name in LISTING_COLUMNS:
        assert list(map(str, columns[name])) == list(map(str, plain[name]))


class TestBothWays:
    """Whichever way a row goes."""

    @pytest.mark.parametrize("column", LISTING_COLUMNS)
    @pytest.mark.parametrize("cells", ["texts", "floats", "short floats", "whole", "nothing"])
    def test_every_kind_of_cell(self, column: str, cells: str) -> None:
        """Whatever stands in a column, written in whatever type."""
        series = CELLS[cells]
        if column in {"status", "state", "city", "prev_sold_date"} and cells in {"floats", "short floats", "whole"}:
            series = series.cast(pl.String)
        assert_same(houses(len(series), **{column: series}))

    @pytest.mark.parametrize("cells", ["days", "moments"])
    def test_days(self, cells: str) -> None:
        """A sale is a day, or a moment of it."""
        assert_same(houses(len(CELLS[cells]), prev_sold_date=CELLS[cells]))

    def test_absent_columns(self) -> None:
        """Only the state is needed, and what a listing has not is not looked at."""
        assert_same(pl.DataFrame({"state": ["Texas", "Narnia", None], "colour": ["red"] * 3}))

    @pytest.mark.parametrize("rows", [0, 2])
    def test_no_column_of_texts(self, rows: int) -> None:
        """Nothing is known of any text, or there is no row from which its type could be told."""
        frame = pl.DataFrame(
            {"state": [None] * rows, "bed": [3.0] * rows}, schema={"state": pl.Null, "bed": pl.Float64}
        )
        assert_same(frame)

    @settings(max_examples=50)
    @given(st.lists(st.tuples(*[st.sampled_from(TEXTS) | st.text(max_size=6)] * 4), min_size=1, max_size=30))
    def test_texts_beside_each_other(self, rows: list[tuple[str | None, ...]]) -> None:
        """Good and bad rows in any order keep their numbers."""
        columns = dict(zip(("city", "zip_code", "bed", "prev_sold_date"), zip(*rows, strict=True), strict=True))
        cells = {name: pl.Series(values, dtype=pl.String) for name, values in columns.items()}
        assert_same(houses(len(rows), **cells))


class TestTheQuickWay:
    """What it takes and what it leaves."""

    def test_takes_what_is_written_well(self) -> None:
        """Listings as feeds and the service's own clients write them are not looked at again."""
        frame = number_rows(houses(3, zip_code=pl.Series(["78701", "601.0", None])))
        parted = part_as_written(frame, ROW_NUMBER)
        assert parted.good["zip_code"].to_list() == ["78701", "00601", None]
        assert parted.others.is_empty()

    def test_leaves_the_others_as_they_came(self) -> None:
        """What may be wrong keeps its columns and its number."""
        frame = number_rows(houses(2, zip_code=pl.Series(["78701-1234", "78701"]), colour=pl.lit("red")))
        parted = part_as_written(frame, ROW_NUMBER)
        assert parted.good[ROW_NUMBER].to_list() == [2]
        assert parted.others.equals(frame.head(1))

    def test_no_row(self) -> None:
        """An empty table is one of clean listings."""
        checked = clean_unpriced(houses(0))
        assert checked.good.columns == [ROW_NUMBER, *LISTING_COLUMNS]
        assert checked.failures.schema == FAILURE_SCHEMA
