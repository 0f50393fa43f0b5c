"""Houses of which little is known, where the source's listings know everything."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from appraiser_features import ListingRows
from appraiser_features.columns import NUMBERS
from appraiser_model import TrainingConfig, ValuationModel, measure, train
from appraiser_model.gaps import blanked, is_copied, without_gaps
from appraiser_schema.frames import to_columns

if TYPE_CHECKING:
    from conftest import Market

HASHES = np.random.default_rng(5).integers(0, 2**63 - 1, 4_000)


@pytest.fixture(scope="module")
def complete(market: "Market", config: TrainingConfig) -> ValuationModel:
    """Trained on listings without a gap."""
    return train(market.train.drop_nulls(), market.validation.drop_nulls(), config)


class TestAppraise:
    """What a model says of a house whose numbers are unknown, though it has never seen such a listing."""

    @pytest.mark.parametrize("unknown", [NUMBERS, ("house_size",), ("bath", "acre_lot")], ids=["all", "size", "some"])
    def test_error(self, complete: ValuationModel, market: "Market", unknown: tuple[str, ...]) -> None:
        """It errs by no more than not knowing costs: prices stay in their middle, and the interval holds them."""
        test = market.test.drop_nulls()
        columns: dict[str, Any] = {**to_columns(test), **{name: np.full(test.height, np.nan) for name in unknown}}
        found = measure(test["price"], complete.appraise(columns))
        assert found["mdape"] < 50
        assert 0.8 < found["median_ratio"] < 1.25
        assert found["coverage"] > 70

    def test_wider(self, complete: ValuationModel, market: "Market") -> None:
        """The interval of a house without its living area is wider."""
        test = market.test.drop_nulls()
        known = to_columns(test)
        unknown = {**known, "house_size": np.full(test.height, np.nan)}
        widths = [measure(test["price"], complete.appraise(c))["interval_width"] for c in (known, unknown)]
        assert widths[1] > 1.2 * widths[0]


class TestBlank:
    """How gaps are made."""

    def test_half(self) -> None:
        """Half of the values of each field are blanked, each field for itself, and no other."""
        gaps = blanked(HASHES, NUMBERS)
        assert np.abs(gaps.mean(axis=1) - 0.5).max() < 0.03
        assert np.abs(np.corrcoef(gaps) - np.eye(len(NUMBERS))).max() < 0.06
        assert blanked(HASHES, ("house_size",)).any(axis=1).tolist() == [False, False, False, True, False]

    def test_copies(self) -> None:
        """Half of the listings get a copy, by their hash, so always the same ones."""
        assert abs(is_copied(HASHES).mean() - 0.5) < 0.03
        assert is_copied(HASHES[::-1])[::-1].tolist() == is_copied(HASHES).tolist()

    def test_own_gaps(self, market: "Market") -> None:
        """Fields of which the source leaves gaps itself are left to the source."""
        for listings, fields in ((market.train, ("bed", "bath")), (market.train.drop_nulls(), NUMBERS)):
            rows = ListingRows()
            rows.add(to_columns(listings))
            assert without_gaps(rows) == fields
