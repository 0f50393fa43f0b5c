"""Which listings come in which batch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraiser_feed.feed import open_feed
from appraiser_feed.listing_file import read_listing_file
from appraiser_feed.plan import PLAN, cut
from appraiser_feed.settings import Settings

type Table = Callable[..., pl.DataFrame]


class TestRules:
    """The rules of the original, at their edges."""

    @pytest.mark.parametrize(
        ("change", "number"),
        [
            ({"house_size": 1500.0}, 0),
            ({"house_size": 1499.0}, 1),
            ({"price": 300_000.0, "house_size": 1500.0}, 0),
            ({"price": 1.0}, 0),
            ({"status": "sold"}, 2),
            ({"status": "sold", "house_size": 900.0}, 2),
            ({"state": "Massachusetts"}, 3),
            ({"state": "Massachusetts", "status": "sold", "house_size": 900.0}, 3),
            ({"state": "Massachusetts", "status": "ready_to_build"}, 3),
            ({"price": 300_000.01}, 4),
            ({"price": 500_000.0, "status": "sold", "state": "Massachusetts"}, 4),
            ({"price": 400_000.0, "status": "ready_to_build"}, 4),
            ({"price": 500_000.01, "state": "Massachusetts"}, 5),
            ({"price": 515e6}, 5),
        ],
    )
    def test_batch(self, table: Table, change: dict[str, Any], number: int) -> None:
        """Each listing is in the batch that its price, place, status and size say."""
        assert [batch.plan_number for batch in cut(table(change))] == [number]

    def test_outside_the_plan(self, table: Table) -> None:
        """A cheap listing that is neither sold nor for sale is in no batch."""
        assert cut(table({"status": "ready_to_build"})) == ()

    def test_order(self, table: Table) -> None:
        """Within a batch the order of the file is kept."""
        rows = table(*({"bed": float(bed), "house_size": 900.0 + 700 * (bed % 2)} for bed in range(10)))
        large, small = cut(rows)
        assert large.rows["bed"].to_list() == [1, 3, 5, 7, 9]
        assert small.rows["bed"].to_list() == [0, 2, 4, 6, 8]

    @given(
        st.lists(
            st.fixed_dictionaries(
                {
                    "price": st.sampled_from([0.0, 1.0, 3e5, 300_001.0, 5e5, 500_001.0, 1e9]),
                    "status": st.sampled_from(["for_sale", "sold", "ready_to_build", "s"]),
                    "state": st.sampled_from(["Massachusetts", "Maine", ""]),
                    "house_size": st.sampled_from([0.0, 1499.9, 1500.0, 1e6]),
                }
            ),
            max_size=30,
        )
    )
    @settings(deadline=None, max_examples=50)
    def test_no_row_twice(self, rows: list[dict[str, Any]]) -> None:
        """Whatever the rows, no row is in two batches, and only cheap ones of another status are in none."""
        schema = {"price": pl.Float64, "status": pl.String, "state": pl.String, "house_size": pl.Float64}
        frame = pl.DataFrame(rows, schema=schema).with_row_index()
        sent = [index for batch in cut(frame) for index in batch.rows["index"]]
        outside = [
            index
            for index, row in enumerate(rows)
            if row["price"] <= 3e5 and row["state"] != "Massachusetts" and row["status"] not in ("for_sale", "sold")
        ]
        assert sorted([*sent, *outside]) == list(range(len(rows)))


class TestNumbers:
    """The numbers that batches are sent with."""

    def test_no_gap(self, table: Table, tmp_path: Path) -> None:
        """Batches of the plan without rows are left out, and the numbers of the others have no gap."""
        path = tmp_path / "few.csv"
        table({"price": 600_000.0}, {"status": "sold"}).write_csv(path)
        feed = open_feed(Settings(data=path))
        assert [(batch.number, batch.rows) for batch in feed.batches] == [(0, 1), (1, 1)]
        assert b'"status":"sold"' in b"".join(feed.batches[0].encoded())


class TestSample:
    """The plan on real listings."""

    def test_rows(self, sample_data: Path) -> None:
        """A fiftieth of the public set gives about a fiftieth of the original's batches."""
        file = read_listing_file(sample_data / "listings" / "us_sample.csv")
        assert (file.rows_read, file.listings.height) == (44_526, 21_743)
        planned = cut(file.listings)
        assert [batch.rows.height for batch in planned] == [1_438, 1_901, 4_576, 92, 6_427, 7_309]
        assert len(planned) == len(PLAN)

    def test_original_batch(self, sample_data: Path) -> None:
        """An untouched batch of the original, exported with its numbers, is one batch of the plan."""
        planned = cut(read_listing_file(sample_data / "listings" / "massachusetts_batch3.csv").listings)
        assert [(batch.plan_number, batch.rows.height) for batch in planned] == [(3, 4_055)]

    def test_truncated_file(self, sample_data: Path) -> None:
        """Of a file that was cut in mid-row, the rows before the cut are served."""
        file = read_listing_file(sample_data / "listings" / "truncated_upload.csv")
        assert file.rows_read == 12_886
        assert 0 < file.listings.height < 12_886
