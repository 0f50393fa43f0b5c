"""The link to a house."""

from typing import Any

import pytest

from appraiser_schema import Listing, example_listing
from appraiser_ui.appraise.link import listing_of, parameters_of


class TestLink:
    """A house as an address, and back."""

    def test_there_and_back(self) -> None:
        """The same house comes out as went in."""
        assert listing_of(parameters_of(example_listing())) == example_listing()

    def test_unknown_stays_unknown(self) -> None:
        """What was left empty is not in the address, and empty again afterwards."""
        house = example_listing() | {"bed": None, "city": None, "prev_sold_date": None}
        assert not {"bed", "city", "prev_sold_date"} & set(parameters_of(house))
        assert listing_of(parameters_of(house)) == house

    def test_no_house(self) -> None:
        """An address without a state describes no house, and neither does one with a state that is none."""
        assert listing_of({"lang": "es"}) is None
        assert listing_of({"state": "Atlantis", "bed": "3"}) is None

    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("bed", "99", None),
            ("bed", "nan", None),
            ("bath", "2.5", 2.5),
            ("house_size", "1e9", None),
            ("house_size", "x", None),
            ("prev_sold_date", "1850-01-01", None),
            ("prev_sold_date", "yesterday", None),
            ("status", "gone", "for_sale"),
            ("city", "x" * 500, "x" * 100),
        ],
    )
    def test_what_cannot_be(self, name: str, text: str, value: Any) -> None:
        """Whatever somebody wrote into an address, the form can take what comes out."""
        listing = listing_of({"state": "Texas", name: text})
        assert listing is not None
        assert listing[name] == value
        Listing.model_validate(listing)
