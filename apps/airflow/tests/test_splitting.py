"""The hash of a row and its split: fixed for good."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraiser_pipeline.splitting import hash_rows, split_rows
from appraiser_schema import Split
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


class TestHash:
    """A listing has one hash."""

    def test_golden(self) -> None:
        """The hash is that of the first version: another would move test rows into training."""
        hashes = hash_rows(clean({}, {"house_size": None}, {"city": None, "prev_sold_date": None}))
        assert hashes.to_list() == [2504902431630793787, 7881826808224770462, 2160312074952424959]

    @pytest.mark.parametrize("column", sorted(LISTING))
    def test_every_column_counts(self, column: str) -> None:
        """Two listings that differ anywhere have different hashes, also where one value is unknown."""
        other = {
            "status": "sold", "city": "Hartford", "state": "Texas", "prev_sold_date": "1999-10-01",
        }.get(column, 77.0)  # fmt: skip
        hashes = hash_rows(clean({}, {column: other}))
        assert hashes[0] != hashes[1]

    @given(st.permutations([{}, {"bed": 1.0}, {"bed": None}, {"street": 5.0}]))
    def test_place_does_not_count(self, changes: list[dict[str, Any]]) -> None:
        """A row has the same hash wherever in a table it stands."""
        hashes = hash_rows(clean(*changes)).to_list()
        assert hashes == [hash_rows(clean(change))[0] for change in changes]


class TestSplit:
    """The hash alone decides what a row is used for."""

    def test_shares(self) -> None:
        """Of many rows 70 % train, 15 % validate and 15 % test."""
        hashes = hash_rows(clean(*({"street": float(i)} for i in range(20_000))))
        shares = hashes.to_frame().select(split_rows(pl.col("row_hash")).value_counts(normalize=True)).unnest("split")
        found = dict(shares.iter_rows())
        assert found[Split.TRAIN.value] == pytest.approx(0.70, abs=0.015)
        assert found[Split.VALIDATION.value] == pytest.approx(0.15, abs=0.015)
        assert found[Split.TEST.value] == pytest.approx(0.15, abs=0.015)

    def test_golden(self) -> None:
        """The bounds of the splits do not move."""
        places = [0, 6_999, 7_000, 8_499, 8_500, 9_999, 10_000]
        frame = pl.DataFrame({"row_hash": [place * 2**20 + 5 for place in places]})
        splits = frame.select(split_rows(pl.col("row_hash")))["split"].to_list()
        assert splits == ["train", "train", "validation", "validation", "test", "test", "train"]
