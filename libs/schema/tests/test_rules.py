"""The rules and pandera itself refuse the same rows."""

import datetime as dt
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaErrors

from appraiser_schema import STATES, ShapeError, Status
from appraiser_schema.as_pandera import pandera_schema
from appraiser_schema.frames import CLEAN_TABLE, LISTING_TABLE, RAW_TABLE, check_raw
from appraiser_schema.rules import KNOWN as KNOWN_RULE
from appraiser_schema.rules import Column, at_least, of_the_form, rules_of, wrong_columns

NUMBERS = st.none() | st.sampled_from(
    [-1.0, -0.0, 0.0, 0.5, 1.0, 50.0, 99_999.0, 100_000.0, 1e9, 1e300, float("inf"), float("-inf"), float("nan")]
)
TEXTS = st.none() | st.text(max_size=4) | st.integers(0, 300).map("x".__mul__)
KNOWN: dict[str, st.SearchStrategy[Any]] = {
    "status": TEXTS | st.sampled_from([*Status, " for_sale", "SOLD"]).map(str),
    "state": TEXTS | st.sampled_from([*STATES, f"{STATES[0]} ", "PA"]),
    "prev_sold_date": TEXTS | st.sampled_from(["2021-02-29", "2020-02-29", "2022-4-1", " 1999-09-30", "0000-01-01"]),
    "zip_code": TEXTS | st.sampled_from(["06016", "6016", "06016\n", "123456", "1234a", "٠٦٠١٦"]),
}
BY_TYPE = {
    "Float64": NUMBERS,
    "String": TEXTS,
    "Date": st.none() | st.sampled_from([dt.date(1, 1, 1), dt.date(1999, 9, 30), dt.date(2999, 1, 1)]),
}
type Table = Mapping[str, Column]
TABLES = pytest.mark.parametrize("declared", [RAW_TABLE, CLEAN_TABLE, LISTING_TABLE], ids=["raw", "clean", "listing"])


def cells(name: str, column: Column) -> st.SearchStrategy[Any]:
    """Values of a column, most of them at the edge of a rule."""
    return KNOWN[name] if str(column.dtype) == "String" and name in KNOWN else BY_TYPE[str(column.dtype)]


def table(declared: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows in the types of a declared table."""
    return pl.DataFrame(rows, schema={name: column.dtype for name, column in declared.items()})


def by_pandera(declared: Table, rows: pl.DataFrame) -> set[tuple[int, str, str, str | None]]:
    """What pandera finds wrong: row, column, rule and value."""
    try:
        pandera_schema(declared).validate(rows, lazy=True)
    except SchemaErrors as errors:
        found = errors.failure_cases.with_columns(
            pl.col("check").replace("not_nullable", KNOWN_RULE), pl.col("failure_case").cast(pl.String)
        )
        return set(found.select("index", "column", "check", "failure_case").rows())
    return set()


def by_rules(declared: Table, rows: pl.DataFrame) -> set[tuple[int, str, str, str | None]]:
    """The same by the rules."""
    values = rows.select(pl.all().cast(pl.String))
    found = [(rule, rows.select(rule.followed).to_series()) for rule in rules_of(declared)]
    assert not any(followed.null_count() for _, followed in found)
    return {
        (place, rule.column, rule.words, values[rule.column][place])
        for rule, followed in found
        for place in (~followed).arg_true()
    }


class TestAgreement:
    """Neither is stricter than the other."""

    @TABLES
    @settings(max_examples=30)
    @given(data=st.data())
    def test_same_rows(self, declared: Table, data: st.DataObject) -> None:
        """Whatever the rows, both refuse the same ones for the same reasons."""
        row = st.fixed_dictionaries({name: cells(name, column) for name, column in declared.items()})
        rows = table(declared, data.draw(st.lists(row, min_size=1, max_size=20)))
        assert not wrong_columns(rows, declared)
        assert by_rules(declared, rows) == by_pandera(declared, rows)

    def test_where_a_pattern_counts(self) -> None:
        """A pattern counts from the beginning of a text."""
        declared = {"a": Column(pl.String(), (of_the_form("b"),))}
        rows = pl.DataFrame({"a": ["b", "ab", None, "x"]})
        wanted = {(1, "a", "of the form b", "ab"), (3, "a", "of the form b", "x")}
        assert by_rules(declared, rows) == by_pandera(declared, rows) == wanted

    def test_known(self) -> None:
        """Neither null nor NaN is a known number, and only null breaks no other rule."""
        declared = {"a": Column(pl.Float64(), (at_least(0),), nullable=False)}
        rows = pl.DataFrame({"a": [1.0, None, float("nan")]})
        assert by_rules(declared, rows) == by_pandera(declared, rows)
        assert {(1, "a", KNOWN_RULE, None), (2, "a", KNOWN_RULE, "NaN")} <= by_rules(declared, rows)


class TestShape:
    """Columns and types."""

    def test_another_type(self) -> None:
        """A column of another type, or none, is another shape."""
        rows = table(RAW_TABLE, [])
        assert wrong_columns(rows, RAW_TABLE) == ()
        assert wrong_columns(rows.with_columns(bed=pl.lit("3")).drop("city"), RAW_TABLE) == ("bed", "city")
        with pytest.raises(ShapeError, match="bed"):
            check_raw(rows.drop("bed"))


class TestCost:
    """What rows do not pay for."""

    def test_no_pandera(self) -> None:
        """Whoever checks rows imports neither pandera nor pandas, which it brings."""
        code = (
            "import sys; import polars as pl; from appraiser_schema.frames import RAW_TABLE, check_raw\n"
            "rows = pl.DataFrame({n: [None] for n in RAW_TABLE})\n"
            "rows = rows.cast({n: c.dtype for n, c in RAW_TABLE.items()})\n"
            "assert check_raw(rows).refused == 1; assert not {'pandera', 'pandas'} & set(sys.modules)"
        )
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
