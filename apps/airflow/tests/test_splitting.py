"""The hash of a row and its split: fixed for good."""

import datetime as dt
import functools
import struct
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from appraiser_model.shares import share
from appraiser_pipeline.splitting import hash_rows, split_rows
from appraiser_schema import RAW_COLUMNS, Split
from appraiser_schema.frames import coerce, normalise

LISTING: dict[str, Any] = {
    "brokered_by": 101640.0,
    "status": "for_sale",
    "price": 289900.0,
    "bed": 4.0,
    "bath": 2.5,
    "acre_lot": 0.38,
    "street": 1758218.0,
    "city": "East Windsor",
    "state": "Connecticut",
    "zip_code": 6016.0,
    "house_size": 1617.0,
    "prev_sold_date": "1999-09-30",
}


def clean(*changes: dict[str, Any]) -> pl.DataFrame:
    """Clean rows that differ from the listing in some columns."""
    return normalise(coerce(pl.DataFrame([LISTING | change for change in changes])).good)


MANY = [{"street": float(i), "price": 100_000.0 + i % 900, "bed": float(i % 6)} for i in range(20_000)]
"""Listings as alike as real ones are: most cells are the same in all of them."""


def chained(row: tuple[Any, ...]) -> int:
    """The hash of a clean row as its definition says, in plain integers."""
    row_hash = 0x6170_7072_6169_7365
    for cell in row:
        row_hash = mixed(row_hash ^ word(cell))
    return row_hash >> 1


def mixed(value: int) -> int:
    """The finaliser of splitmix64, after its step."""
    value = (value + 0x9E37_79B9_7F4A_7C15) % 2**64
    value = ((value ^ (value >> 30)) * 0xBF58_476D_1CE4_E5B9) % 2**64
    value = ((value ^ (value >> 27)) * 0x94D0_49BB_1331_11EB) % 2**64
    return value ^ (value >> 31)


def word(cell: object) -> int:
    """The 64 bits that stand for a cell."""
    match cell:
        case None:
            return 0x7FF8_0000_0000_0001
        case float():
            return int.from_bytes(struct.pack("<d", cell + 0.0), "little")
        case dt.date():
            return (cell - dt.date(1970, 1, 1)).days % 2**64
    letters = str(cell).encode()
    words = [letters[place : place + 8] for place in range(0, len(letters), 8)]
    return functools.reduce(lambda h, w: mixed(h ^ int.from_bytes(w, "little")), words, mixed(len(letters)))


class TestHash:
    """A listing has one hash."""

    def test_golden(self) -> None:
        """The hash is that of the definition's first version: another would move test rows into training."""
        hashes = hash_rows(clean({}, {"house_size": None}, {"city": None, "prev_sold_date": None}))
        assert hashes.to_list() == [5286221403161075706, 6802424828366499399, 6336787038484232852]

    @given(
        st.lists(
            st.fixed_dictionaries(
                {
                    "city": st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30),
                    "brokered_by": st.none() | st.text(st.characters(codec="ascii", categories=["L"]), max_size=20),
                    "bed": st.none() | st.floats(allow_nan=False, allow_infinity=False),
                    "prev_sold_date": st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)).map(str),
                }
            ),
            min_size=1,
            max_size=5,
        )
    )
    def test_as_defined(self, changes: list[dict[str, Any]]) -> None:
        """Whole columns give what the definition gives row by row: long texts, other letters, gaps, minus zero."""
        rows = clean(*changes)
        assert hash_rows(rows).to_list() == [chained(row) for row in rows.select(RAW_COLUMNS).iter_rows()]

    def test_parts_of_tables(self) -> None:
        """A part of a table, or a table in pieces, has the hashes of the whole."""
        rows = clean(*MANY[:50], {"city": None})
        whole = hash_rows(rows)
        assert hash_rows(rows[7:40]).equals(whole[7:40])
        assert hash_rows(pl.concat([rows[:9], rows[9:]], rechunk=False)).equals(whole)
        assert hash_rows(rows.clear()).len() == 0

    @pytest.mark.parametrize("column", sorted(LISTING))
    def test_every_column_counts(self, column: str) -> None:
        """Two listings that differ anywhere have different hashes, also where one value is unknown."""
        other = {
            "status": "sold", "city": "Hartford", "state": "Texas", "prev_sold_date": "1999-10-01",
        }.get(column, 77.0)  # fmt: skip
        hashes = hash_rows(clean({}, {column: other}, {column: None}))
        assert hashes.n_unique() == 3

    def test_no_two_columns_are_one(self) -> None:
        """The same two values the other way round, or a text cut at another place, is another listing."""
        rows = ({"bed": 2.0, "bath": 3.0}, {"bed": 3.0, "bath": 2.0}, {"city": "New York"}, {"city": "New York\x00"})
        assert hash_rows(clean(*rows)).n_unique() == 4

    @given(st.permutations([{}, {"bed": 1.0}, {"bed": None}, {"street": 5.0}]))
    def test_place_does_not_count(self, changes: list[dict[str, Any]]) -> None:
        """A row has the same hash wherever in a table it stands."""
        hashes = hash_rows(clean(*changes)).to_list()
        assert hashes == [hash_rows(clean(change))[0] for change in changes]

    def test_every_bit_is_even(self) -> None:
        """Listings that are nearly alike set each of the 63 bits in half of the cases, and none twice."""
        hashes = hash_rows(clean(*MANY)).to_numpy()
        ones = (hashes[:, None] >> np.arange(63)) & 1
        # Six standard errors of a share of one half in 20,000 rows.
        assert np.abs(ones.mean(axis=0) - 0.5).max() < 6 * 0.5 / len(MANY) ** 0.5
        assert np.unique(hashes).size == len(MANY)


class TestSplit:
    """The hash alone decides what a row is used for."""

    def test_shares(self) -> None:
        """Of many rows 70 % train, 15 % validate and 15 % test, as chance would do it (chi-square, p > .001)."""
        hashes = hash_rows(clean(*MANY))
        splits = hashes.to_frame().select(split_rows(pl.col("row_hash")))["split"]
        counts = [splits.eq(split.value).sum() for split in (Split.TRAIN, Split.VALIDATION, Split.TEST)]
        assert chisquare(counts, [14_000, 3_000, 3_000]).pvalue > 0.001

    def test_folds_do_not_follow_the_split(self) -> None:
        """The folds of training are even in every split (chi-square, p > .001)."""
        hashes = hash_rows(clean(*MANY))
        splits = hashes.to_frame().select(split_rows(pl.col("row_hash")))["split"]
        for salt in range(3):
            fold = share(hashes.to_numpy(), 5, salt)
            table = [np.bincount(fold[splits.eq(split.value).to_numpy()], minlength=5) for split in Split]
            assert chisquare(np.sum(table, axis=0)).pvalue > 0.001
            assert chi2_contingency(table).pvalue > 0.001

    def test_golden(self) -> None:
        """The bounds of the splits do not move."""
        places = [0, 6_999, 7_000, 8_499, 8_500, 9_999, 10_000]
        frame = pl.DataFrame({"row_hash": [place * 2**20 + 5 for place in places]})
        splits = frame.select(split_rows(pl.col("row_hash")))["split"].to_list()
        assert splits == ["train", "train", "validation", "validation", "test", "test", "train"]
