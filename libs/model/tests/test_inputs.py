"""What is kept of the training listings, and how far later ones have moved from them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from tiny_champion import build_market

from appraiser_model.inputs import Inputs
from appraiser_model.stability import edges_of, rows_by_bin
from appraiser_schema import LISTING_COLUMNS, Listing


def listings_of(market: pl.DataFrame) -> Sequence[Listing]:
    """The listings of a table, as the API gets them."""
    return [Listing.model_validate(row) for row in market.select(LISTING_COLUMNS).rows(named=True)]


@pytest.fixture(scope="module")
def market() -> pl.DataFrame:
    """Some listings, with unknown bedrooms among them."""
    return build_market(rows=600)


@pytest.fixture(scope="module")
def inputs(market: pl.DataFrame) -> Inputs:
    """What is kept of them."""
    return Inputs.of(market)


class TestInputs:
    """Shares of the training listings by field."""

    def test_shares(self, inputs: Inputs) -> None:
        """They sum to one, and the unknown have a bin of their own."""
        for field in (*inputs.numbers.values(), *inputs.categories.values()):
            assert sum(field.shares) == pytest.approx(1)
        assert inputs.numbers["bed"].shares[-1] == pytest.approx(0.2, abs=0.06)
        assert inputs.categories["state"].shares[-1] == 0

    def test_same_listings(self, inputs: Inputs, market: pl.DataFrame) -> None:
        """The training listings themselves, counted one by one, have not moved at all."""
        drift = inputs.drift(inputs.count(listings_of(market)))
        assert set(drift) == {"bed", "bath", "acre_lot", "house_size", "status", "state"}
        assert max(drift.values()) < 1e-9

    def test_moved(self, inputs: Inputs, market: pl.DataFrame) -> None:
        """Houses of twice the size, in one state, have moved in these two and in nothing else."""
        moved = market.with_columns(house_size=pl.col("house_size") * 2).filter(pl.col("state") == "Texas")
        drift = inputs.drift(inputs.count(listings_of(moved)))
        assert drift["house_size"] > 0.25
        assert drift["state"] > 0.25
        assert drift["status"] < 0.25

    @pytest.mark.parametrize("counts", [{}, {"bed": ()}, {"bed": (1, 2)}])
    def test_nothing_to_say(self, inputs: Inputs, counts: dict[str, Any]) -> None:
        """Counts by other bins, as another model has them, say nothing."""
        assert inputs.drift(counts) == {}

    def test_read_again(self, inputs: Inputs) -> None:
        """They travel in the card as JSON, and are small."""
        text = inputs.model_dump_json()
        assert Inputs.model_validate_json(text) == inputs
        assert len(text) < 4096


class TestBins:
    """Numbers by their deciles."""

    @pytest.mark.parametrize("unknown", [0.0, 0.3, 1.0])
    @pytest.mark.parametrize("numbers", [np.arange(500.0), np.arange(500.0) % 4, np.full(500, 2.0)])
    def test_counts(self, numbers: NDArray[np.float64], unknown: float) -> None:
        """As many as a search for each value puts into each bin, those at an edge and beyond the last one too."""
        values = np.where(np.arange(500) < unknown * 500, np.nan, numbers)
        edges = edges_of(values)
        for counted in (values, np.concatenate([values, [-np.inf, -1.0, 1e9, np.inf, np.nan]]), values[:0]):
            bins = np.where(np.isnan(counted), len(edges) + 1, np.searchsorted(edges, counted, side="left"))
            expected = np.bincount(bins, minlength=len(edges) + 2)
            assert rows_by_bin(counted, edges).tolist() == expected.tolist()
