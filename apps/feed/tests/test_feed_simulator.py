"""Simulated listings: the same for everyone, and like real ones."""

import numpy as np
import polars as pl
import pytest
import zipcodes

from appraiser_feed.encoding import encode
from appraiser_feed.plan import cut
from appraiser_feed.simulator import simulate
from appraiser_feed.simulator.blemishes import BLEMISHES, REPEATED, count_of
from appraiser_feed.simulator.markets import STATES
from appraiser_schema import RAW_COLUMNS, STATE_CODES

ORIGINAL_ROWS = (73_784, 94_551, 230_366, 4_055, 320_696, 361_457)
NUMBERS = ("price", "bed", "bath", "acre_lot", "house_size", "zip_code", "brokered_by", "street")


@pytest.fixture(scope="module")
def listings() -> pl.DataFrame:
    """Give what is simulated by default."""
    return simulate(20_000, 1)


@pytest.fixture(scope="module")
def usual(listings: pl.DataFrame) -> pl.DataFrame:
    """Leave out the placeholders and typing errors."""
    return listings.filter(pl.col("price") >= 10_000, pl.col("house_size") < 100_000, pl.col("acre_lot") < 50_000)


class TestSame:
    """Seeds."""

    def test_same_seed(self, listings: pl.DataFrame) -> None:
        """The same seed gives the same bytes."""
        assert b"".join(encode(simulate(20_000, 1))) == b"".join(encode(listings))

    def test_other_seed(self, listings: pl.DataFrame) -> None:
        """Another seed gives another map and other houses."""
        other = simulate(20_000, 2)
        assert not (other["price"] == listings["price"]).any() or (other["price"] == listings["price"]).mean() < 0.1


class TestContract:
    """What the listing API promises."""

    def test_columns(self, listings: pl.DataFrame) -> None:
        """Twelve columns in order, numbers as floats, and not one null, NaN or infinity."""
        assert tuple(listings.columns) == RAW_COLUMNS
        assert all(listings.schema[column] == pl.Float64 for column in NUMBERS)
        assert listings.null_count().sum_horizontal().item() == 0
        assert listings.select(pl.col(NUMBERS).is_finite().all()).row(0) == (True,) * len(NUMBERS)

    @pytest.mark.parametrize("rows", [100, 1_000])
    def test_number_of_rows(self, rows: int) -> None:
        """As many rows as were asked for, repeated ones included."""
        assert simulate(rows, 3).height == rows

    def test_categories(self, listings: pl.DataFrame) -> None:
        """A sale is for_sale or sold, as in the original's batches; dates are ISO dates."""
        assert set(listings["status"]) == {"for_sale", "sold"}
        assert listings["prev_sold_date"].str.to_date("%Y-%m-%d", strict=False).null_count() == 0

    def test_places(self, listings: pl.DataFrame) -> None:
        """City, state and zip code of a row belong together in the real world."""
        for row in listings.sample(100, seed=1).iter_rows(named=True):
            (place,) = zipcodes.matching(f"{int(row['zip_code']):05d}")
            assert (place["city"], place["state"]) == (row["city"], STATE_CODES[row["state"]])


class TestLikeness:
    """Figures of the public set of US listings, rows with a null left out."""

    def test_shares_of_batches(self, listings: pl.DataFrame) -> None:
        """Each batch has about its share of the original: within a fifth, the tiny one within a half."""
        planned = cut(listings)
        assert [batch.plan_number for batch in planned] == [0, 1, 2, 3, 4, 5]
        for batch, original in zip(planned, ORIGINAL_ROWS, strict=True):
            expected = original / sum(ORIGINAL_ROWS) * listings.height
            assert batch.rows.height == pytest.approx(expected, rel=0.5 if batch.plan_number == 3 else 0.2)

    @pytest.mark.parametrize(
        ("column", "quantile", "value"),
        [
            ("price", 0.05, 110_000),
            ("price", 0.25, 240_000),
            ("price", 0.50, 385_000),
            ("price", 0.75, 615_000),
            ("price", 0.95, 1_500_000),
            ("house_size", 0.05, 924),
            ("house_size", 0.50, 1_790),
            ("house_size", 0.95, 4_056),
            ("acre_lot", 0.50, 0.21),
            ("acre_lot", 0.90, 1.32),
        ],
    )
    def test_quantiles(self, usual: pl.DataFrame, column: str, quantile: float, value: float) -> None:
        """Prices, sizes and land are spread as in reality, within a quarter."""
        assert usual[column].quantile(quantile) == pytest.approx(value, rel=0.25)

    def test_place_matters(self, usual: pl.DataFrame) -> None:
        """Zip codes far apart differ in price per living area much more than houses of one zip code."""
        level = usual.select(
            value=(pl.col("price") / pl.col("house_size")).log(), area=(pl.col("zip_code") / 100).floor()
        ).filter(pl.len().over("area") >= 20)
        between = level.group_by("area").agg(pl.col("value").median())["value"].std()
        within = (level["value"] - level.select(pl.col("value").median().over("area"))["value"]).std()
        assert isinstance(between, float)
        assert isinstance(within, float)
        assert between > 1.2 * within

    def test_size_matters(self, usual: pl.DataFrame) -> None:
        """Larger houses cost more and have more rooms; the correlation with price is near the real 0.55."""
        logs = np.log(usual.select("price", "house_size", "bed", "bath").to_numpy())
        price, bed, bath = np.corrcoef(logs, rowvar=False)[1, [0, 2, 3]]
        assert price == pytest.approx(0.55, abs=0.08)
        assert min(bed, bath) > 0.6

    def test_every_state(self, listings: pl.DataFrame) -> None:
        """The large states have their real shares, and hardly a state is missing."""
        shares = dict(listings["state"].value_counts(normalize=True).rows())
        assert shares["California"] == pytest.approx(0.146, abs=0.02)
        assert shares["Massachusetts"] == pytest.approx(0.0236, abs=0.006)
        assert len(shares) >= len(STATES) - 2


class TestFaults:
    """What is wrong in real rows."""

    def test_blemishes(self, listings: pl.DataFrame) -> None:
        """Every fault stands in about as many rows as its share says, the rarest in one."""
        for fault in BLEMISHES:
            found = listings.filter(pl.col(fault.column).is_in(fault.values)).height
            expected = count_of(fault.share, listings.height)
            assert expected <= found <= expected + 4

    def test_repeated_rows(self, listings: pl.DataFrame) -> None:
        """A thousandth of the rows stand twice, in full."""
        assert listings.height - listings.n_unique() == count_of(REPEATED, listings.height) == 20

    def test_few_rows_have_few_faults(self) -> None:
        """A small sample is not spoilt by faults that real data has once in a million."""
        few = simulate(300, 1)
        assert few["price"].min() >= 10_000  # type: ignore[operator]
        assert few["bed"].max() < 100  # type: ignore[operator]

    def test_zip_codes_lose_their_zero(self, listings: pl.DataFrame) -> None:
        """Zip codes of the north-east are numbers below 10,000, about a twentieth of all."""
        assert (listings["zip_code"] < 10_000).mean() == pytest.approx(0.051, abs=0.015)
