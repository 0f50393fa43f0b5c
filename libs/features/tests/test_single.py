"""One house on its own, beside the same house in a table."""

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appraiser_features import FeatureEncoder, SingleEncoder
from appraiser_schema import STATES, Listing, Status
from appraiser_schema.columns import listing_columns

TINY = 5e-324
LISTINGS = st.builds(
    Listing,
    status=st.sampled_from(Status),
    bed=st.none() | st.floats(0, 50) | st.just(-0.0),
    bath=st.none() | st.floats(0, 50),
    acre_lot=st.none() | st.floats(0, 10_000),
    house_size=st.none() | st.floats(100, 50_000),
    state=st.sampled_from(("Connecticut", "Texas", *STATES)),
    city=st.none() | st.sampled_from(("Hartford", "HOUSTON", "nowhere")) | st.text(max_size=8),
    zip_code=st.none() | st.sampled_from(("06016", "06103", "77002", "00602")) | st.from_regex(r"\A[0-9]{5}\Z"),
    prev_sold_date=st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)),
)


@pytest.fixture(scope="module")
def fitted() -> FeatureEncoder:
    """Fitted on a few houses in three places."""
    places = [("Connecticut", "Hartford", "06103"), ("Texas", "Houston", "77002"), ("Connecticut", "Granby", "06035")]
    houses: list[dict[str, Any]] = [
        {"state": s, "city": c, "zip_code": z, "bed": 3.0, "bath": 2.0, "acre_lot": 0.3, "house_size": 900.0 + 7 * i}
        for i, (s, c, z) in enumerate(places * 40)
    ]
    columns = listing_columns([Listing.model_validate(house) for house in houses])
    encoder, _ = FeatureEncoder.fit(columns, np.linspace(1e5, 9e5, len(houses)), np.arange(len(houses)) % 5)
    return encoder


class TestSingleEncoder:
    """The short way."""

    @settings(deadline=None, max_examples=300)
    @given(listing=LISTINGS)
    @example(listing=Listing(state="Guam", bed=TINY, bath=50.0, acre_lot=TINY, house_size=100.0))
    @example(listing=Listing(state="Texas", bed=1e-36, bath=50.0, house_size=50_000.0))
    @example(listing=Listing(state="Texas", bed=-0.0, bath=-0.0, acre_lot=-0.0))
    def test_same_bits(self, fitted: FeatureEncoder, listing: Listing) -> None:
        """A house has the bits on its own that it has in a table."""
        single = SingleEncoder(fitted).transform(listing)
        table = fitted.transform(listing_columns([listing]))
        assert single.shape == table.shape
        assert single.tobytes() == table.tobytes()
