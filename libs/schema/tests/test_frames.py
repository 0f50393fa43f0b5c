"""Tables of listings: three doors, and agreement with the single house."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraiser_schema import LISTING_COLUMNS, RAW_COLUMNS, STATES, Listing, ShapeError, Status
from appraiser_schema.frames import (
    FAILURE_SCHEMA,
    check_clean,
    check_raw,
    clean_unpriced,
    coerce,
    listing_columns,
    normalise,
    to_columns,
)

GOOD: dict[str, Any] = {
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

COLUMNS = ["row_number", *LISTING_COLUMNS]
"""What is kept of a house that is asked about."""


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of the good listing, with changes."""
    return pl.DataFrame([GOOD | row for row in rows], infer_schema_length=None)


def broken(failures: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Row number, stage and column of each failure."""
    return failures.select("row_number", "stage", "column").rows()


class TestCoerce:
    """Types, whatever the file said."""

    def test_text_table(self) -> None:
        """A CSV read as text and the API's floats give the same raw listings."""
        text = table({}).cast(pl.String)
        assert coerce(text).good.equals(coerce(table({})).good)

    def test_unreadable_number(self) -> None:
        """Text in a number refuses the row, with the text as it stood."""
        checked = coerce(table({}).cast(pl.String).with_columns(price=pl.lit("$279,900")))
        assert checked.good.is_empty()
        rule = "a number without currency sign and commas, such as 279900"
        assert checked.failures.rows() == [(1, "read", "price", rule, "$279,900")]
        words = coerce(table({}).cast(pl.String).with_columns(price=pl.lit("three")))
        assert words.failures.rows() == [(1, "read", "price", "a number", "three")]

    def test_infinity_is_no_number(self) -> None:
        """Text that polars would read as infinity or NaN is refused."""
        text = pl.concat([table({}).cast(pl.String)] * 2).with_columns(bed=pl.Series(["inf", "nan"]))
        assert broken(coerce(text).failures) == [(1, "read", "bed"), (2, "read", "bed")]

    def test_empty_is_unknown(self) -> None:
        """An empty cell and a NaN are unknown, not faults."""
        text = table({}).cast(pl.String).with_columns(bed=pl.lit(" "), city=pl.lit(""))
        assert coerce(text).good.select("bed", "city").row(0) == (None, None)
        assert coerce(table({"bed": float("nan")})).good["bed"].to_list() == [None]

    def test_codes_are_texts(self) -> None:
        """Brokers and streets come as floats from one source and as names from another."""
        assert coerce(table({})).good["street"].to_list() == ["1758218"]
        named = coerce(table({}).with_columns(street=pl.lit("655 First St")))
        assert named.good["street"].to_list() == ["655 First St"]

    def test_changed_shape(self) -> None:
        """Missing and unexpected columns are named together."""
        with pytest.raises(ShapeError) as caught:
            coerce(table({}).rename({"price": "cost"}))
        assert (caught.value.missing, caught.value.unexpected) == (("price",), ("cost",))

    def test_zip_plus_four(self) -> None:
        """A ZIP+4 in a file gives its first five digits, lost zeros and all."""
        text = table({}).cast(pl.String).with_columns(zip_code=pl.lit("06016-1234"))
        assert normalise(coerce(text).good)["zip_code"].to_list() == ["06016"]


class TestRaw:
    """What is no listing at all."""

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("price", None),
            ("price", -1.0),
            ("bed", -1.0),
            ("bed", float("inf")),
            ("state", None),
            ("state", "PA"),
            ("status", "s"),
            ("status", None),
            ("zip_code", 0.0),
            ("zip_code", 100_000.0),
            ("zip_code", 6016.5),
            ("prev_sold_date", "04/13/22"),
            ("prev_sold_date", "2021-02-29"),
        ],
    )
    def test_refuses(self, column: str, value: object) -> None:
        """The bad row is refused with column and value; the good one beside it stays."""
        frame = coerce(table({}, {column: value})).good
        checked = check_raw(frame)
        assert broken(checked.failures) == [(2, "raw", column)]
        assert checked.good["row_number"].to_list() == [1]

    def test_nulls_where_unknown_is_allowed(self) -> None:
        """A listing of which only price, status and state are known is a listing."""
        unknown = dict.fromkeys(set(RAW_COLUMNS) - {"price", "status", "state"})
        assert check_raw(coerce(table({}, unknown)).good).failures.is_empty()

    def test_sale_after_the_batch(self) -> None:
        """A house cannot have been sold after the batch was received."""
        frame = coerce(table({}, {"prev_sold_date": "2022-05-02"})).good
        checked = check_raw(frame, as_of=dt.date(2022, 5, 1))
        assert broken(checked.failures) == [(2, "raw", "prev_sold_date")]
        assert "2022-05-01" in checked.failures["rule"][0]

    def test_nothing_is_lost(self) -> None:
        """Every row is either good or in the failures, even when it breaks several rules."""
        frame = coerce(table({}, {"bed": -1.0, "bath": -1.0}, {"state": "X"})).good
        checked = check_raw(frame)
        assert checked.good.height + checked.refused == frame.height
        assert checked.failures.schema == FAILURE_SCHEMA


class TestClean:
    """The domain of the model."""

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("price", 1.0),
            ("price", 515_000_000.0),
            ("bed", 444.0),
            ("bath", 222.0),
            ("acre_lot", 100_000.0),
            ("house_size", 1_560_780.0),
            ("prev_sold_date", "2113-01-01"),
        ],
    )
    def test_refuses_known_faults(self, column: str, value: object) -> None:
        """The faults that real rows have are refused by the column that has them."""
        frame = normalise(check_raw(coerce(table({}, {column: value})).good).good)
        assert broken(check_clean(frame).failures) == [(2, "clean", column)]

    def test_lost_zero(self) -> None:
        """A zip code of four digits gets its zero back."""
        assert normalise(coerce(table({})).good)["zip_code"].to_list() == ["06016"]


class TestUnpriced:
    """Houses that are asked about."""

    def test_good(self) -> None:
        """They become what the doors make of a priced listing, whatever they say of a price."""
        priced = check_clean(normalise(check_raw(coerce(table({})).good).good)).good
        assert clean_unpriced(table({"price": "on request"})).good.rows() == priced.select(COLUMNS).rows()

    def test_little_known(self) -> None:
        """The state is enough; the status is then for_sale."""
        checked = clean_unpriced(pl.DataFrame({"state": ["Texas"], "colour": ["red"]}))
        assert checked.good.columns == COLUMNS
        assert checked.good["status"].to_list() == ["for_sale"]

    def test_refuses(self) -> None:
        """What each door refuses is told with its row."""
        checked = clean_unpriced(table({}, {"bed": "many"}, {"state": "Narnia"}, {"house_size": 1.0}).drop("price"))
        assert checked.good["row_number"].to_list() == [1]
        assert broken(checked.failures) == [(2, "read", "bed"), (3, "raw", "state"), (4, "clean", "house_size")]


class TestSampleData:
    """The doors on real files."""

    def test_dirty_files(self, sample_data: Path) -> None:
        """The clean file passes whole; every injected error is refused by name, and no row is lost."""
        for name, good in (("clean", 100), ("errors_10pct", 49), ("errors_30pct", 7)):
            frame = pl.read_csv(sample_data / "dirty" / f"{name}.csv", infer_schema=False)
            read = coerce(frame)
            raw = check_raw(read.good)
            clean = check_clean(normalise(raw.good))
            assert clean.good.height == good, name
            assert clean.good.height + read.refused + raw.refused + clean.refused == frame.height

    def test_untouched_batch(self, sample_data: Path) -> None:
        """A batch as the original source sent it passes whole."""
        frame = pl.read_csv(sample_data / "listings" / "massachusetts_batch3.csv", infer_schema_length=None)
        clean = check_clean(normalise(check_raw(coerce(frame, extra_ok=True).good).good))
        assert clean.good.height == 4055


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
MAYBE = st.none()
LISTINGS = st.fixed_dictionaries(
    {
        "status": st.sampled_from([status.value for status in Status]),
        "bed": MAYBE | st.floats(0, 50),
        "bath": MAYBE | st.floats(0, 50),
        "acre_lot": MAYBE | st.floats(0, 10_000),
        "house_size": MAYBE | st.floats(100, 50_000),
        "city": MAYBE | NAMES,
        "state": st.sampled_from(STATES),
        "zip_code": MAYBE | st.integers(1, 99_999).map(float),
        "prev_sold_date": MAYBE | st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)).map(str),
    }
)


class TestAgreement:
    """The single house and the table are normalised alike."""

    @given(LISTINGS)
    def test_same_columns(self, row: dict[str, Any]) -> None:
        """A listing through validation and the same row through a table give equal columns, bit for bit."""
        single = listing_columns([Listing.model_validate_json(json.dumps(row))])
        frame = normalise(check_raw(coerce(pl.DataFrame([GOOD | row], infer_schema_length=None)).good).good)
        checked = check_clean(frame)
        assert checked.failures.is_empty()
        for name, values in to_columns(checked.good).items():
            if isinstance(values, np.ndarray):
                assert values.tobytes() == single[name].tobytes(), name
            else:
                assert values == single[name], name
