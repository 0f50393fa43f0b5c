"""What a version must be able to say before it is put in production by hand."""

import dataclasses

import numpy as np
import pytest
from tiny_champion import build_market, train_tiny

from appraiser_model import Bundle
from appraiser_model.domain import Domain
from appraiser_model.trial import HeldOut, ordinary_houses, try_out
from appraiser_schema.frames import to_columns


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """A model that is of some use."""
    return train_tiny()


def listings(rows: int = 800) -> HeldOut:
    """Listings of the same market."""
    test = build_market(rows, seed=9)
    return HeldOut(to_columns(test), test["price"].to_numpy())


def with_prices_of_a_tenth(test: HeldOut) -> HeldOut:
    """A market in which every house costs a tenth."""
    return HeldOut(test.columns, test.price_usd / 10)


class TestTrial:
    """`try_out`."""

    def test_good(self, bundle: Bundle) -> None:
        """A usable version has no faults; its error on test rows is told beside that of a constant answer."""
        trial = try_out(bundle, 3, listings())
        assert (trial.faults, trial.version, trial.bundle_digest, trial.rows_test) == ((), 3, bundle.digest, 800)
        assert trial.mdape is not None
        assert trial.plain_mdape is not None
        assert 0 < trial.mdape < trial.plain_mdape
        assert len(trial.prices_usd) == 3

    def test_without_listings(self, bundle: Bundle) -> None:
        """Without test rows the houses of its own kind are asked alone."""
        trial = try_out(bundle, 3, None)
        assert (trial.faults, trial.mdape, trial.rows_test) == ((), None, 0)

    def test_worse_than_a_constant(self, bundle: Bundle) -> None:
        """A version that is no better than one price for every house is absurd."""
        trial = try_out(bundle, 3, with_prices_of_a_tenth(listings()))
        assert "answering their median price to every house has" in trial.faults[0]

    def test_few_rows(self, bundle: Bundle) -> None:
        """Of a few rows the error is told and not held against it."""
        trial = try_out(bundle, 3, with_prices_of_a_tenth(listings(20)))
        assert trial.faults == ()
        assert trial.mdape is not None

    @pytest.mark.parametrize("offset", [np.log(1000), -np.log(1000)])
    def test_absurd_prices(self, bundle: Bundle, offset: float) -> None:
        """Prices in another order of magnitude than those that it was trained on are absurd."""
        model = dataclasses.replace(bundle.model, centre_log=bundle.model.centre_log + offset)
        assert "it appraises an ordinary house at" in try_out(Bundle(model, bundle.card), 3, None).faults[0]

    def test_nothing_known(self) -> None:
        """Where a number was never known in training, the house in the middle is one of which it is not known."""
        assert ordinary_houses(Domain({}, (1.0, 2.0)))[2].house_size is None

    def test_middle(self, bundle: Bundle) -> None:
        """The house in the middle has whole bedrooms."""
        house = ordinary_houses(bundle.model.domain)[2]
        assert house.bed is not None
        assert house.bed == int(house.bed)
