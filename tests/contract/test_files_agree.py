"""What `check-data` says of a file is what the feed makes of it: both accept the same files and the same rows."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appraiser_cli.check_data import examine
from appraiser_cli.errors import DataFileError
from appraiser_feed.errors import DataError
from appraiser_feed.listing_file import read_listing_file
from appraiser_feed.plan import cut
from appraiser_schema.frames import check_clean, check_raw, coerce, normalise

LISTING: dict[str, Any] = {
    "brokered_by": 101640.0, "status": "for_sale", "price": 289900.0, "bed": 4.0, "bath": 2.0, "acre_lot": 0.38,
    "street": 1758218.0, "city": "East Windsor", "state": "Connecticut", "zip_code": 6016.0, "house_size": 1617.0,
    "prev_sold_date": "1999-09-30",
}  # fmt: skip

NUMBERS = st.none() | st.floats(-5, 6e6) | st.sampled_from([float("inf"), float("nan"), 0.0, 51.0])
WORDS = st.sampled_from(["", " ", "NA", "-", "three", "$279,900", "1,5", "1e3", " 7 ", "inf", "06016", "06016-1234"])
TEXTS = st.none() | st.sampled_from(["sold", " sold ", "ready_to_build", "Massachusetts", " Texas", "nan", "x" * 101])
DATES = st.none() | st.sampled_from(["2113-10-25", "1999-09-31", "19990930", " 2001-02-03 ", "1850-01-01"])
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("price", "bed", "bath", "acre_lot", "house_size", "zip_code"), NUMBERS),
        **dict.fromkeys(("status", "state", "city"), TEXTS),
        "prev_sold_date": DATES,
    },
)
WRITERS: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    "csv": lambda rows, path: rows.write_csv(path),
    "parquet": lambda rows, path: rows.write_parquet(path),
    "json": lambda rows, path: path.write_text(json.dumps(rows.to_dicts())),
}


def assert_agree(path: Path) -> None:
    """Hold what is told of a file against what is served of it and what the pipeline makes of that."""
    try:
        told = examine(path)
    except DataFileError:
        with pytest.raises(DataError):
            read_listing_file(path)
        return
    try:
        file = read_listing_file(path)
    except DataError:
        assert told.incomplete == told.rows
        return
    served = [batch.rows for batch in cut(file.listings)]
    assert told.rows == file.rows_read
    assert told.incomplete == file.rows_read - file.listings.height
    assert told.unplanned == file.listings.height - sum(rows.height for rows in served)
    today = dt.datetime.now(dt.UTC).date()
    clean = [check_clean(normalise(check_raw(coerce(rows).good, as_of=today).good)).good for rows in served]
    assert told.usable == sum(rows.height for rows in clean)
    if clean:
        assert told.repeated == told.usable - pl.concat(clean).drop("row_number").n_unique()


class TestAgreement:
    """Two programs, one reading."""

    @given(changes=st.lists(CHANGES, min_size=1, max_size=5), suffix=st.sampled_from(sorted(WRITERS)))
    @example(changes=[{"price": float("inf")}, {"city": "nan"}, {"status": " sold "}], suffix="parquet")
    def test_any_rows(
        self, tmp_path_factory: pytest.TempPathFactory, changes: list[dict[str, Any]], suffix: str
    ) -> None:
        """Whatever stands in the rows, and in whichever format."""
        path = tmp_path_factory.getbasetemp() / f"agree.{suffix}"
        rows = pl.DataFrame([LISTING | change for change in changes], infer_schema_length=None)
        WRITERS[suffix](rows, path)
        assert_agree(path)

    @given(
        column=st.sampled_from(sorted(LISTING)),
        words=st.lists(WORDS, min_size=1, max_size=4),
        delimiter=st.sampled_from(",;"),
    )
    def test_any_words(
        self, tmp_path_factory: pytest.TempPathFactory, column: str, words: list[str], delimiter: str
    ) -> None:
        """Words in the place of numbers, and numbers as people write them."""
        path = tmp_path_factory.getbasetemp() / "agree.csv"
        rows = pl.DataFrame([LISTING | {column: word} for word in words], infer_schema_length=None)
        rows.write_csv(path, separator=delimiter)
        assert_agree(path)

    @given(data=st.binary(max_size=80), end=st.integers(0, 400))
    def test_any_bytes(self, tmp_path_factory: pytest.TempPathFactory, data: bytes, end: int) -> None:
        """Files that were cut anywhere, and with anything behind that."""
        path = tmp_path_factory.getbasetemp() / "agree.csv"
        whole = "\n".join([",".join(LISTING), *[",".join(map(str, LISTING.values()))] * 3])
        path.write_bytes(whole.encode()[:end] + data)
        assert_agree(path)
        path = path.with_suffix(".json")
        path.write_bytes(json.dumps([LISTING] * 3).encode()[:end] + data)
        assert_agree(path)

    def test_real_rows(self, sample_data: Path) -> None:
        """Real listings, a real upload that broke off, and listings with errors put in."""
        for name in ("listings/us_sample.csv", "listings/truncated_upload.csv", "dirty/errors_30pct.csv"):
            assert_agree(sample_data / name)
