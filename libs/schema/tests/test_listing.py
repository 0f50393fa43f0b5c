"""One house, validated."""

import datetime as dt
import json
from typing import Any

import pytest
from pydantic import ValidationError

from appraiser_schema import LISTING_COLUMNS, Listing, Status, example_listing


def parse(**fields: Any) -> Listing:
    """Validate a listing as it arrives over HTTP."""
    return Listing.model_validate_json(json.dumps({"state": "Texas", **fields}))


class TestListing:
    """What a request may say of a house."""

    def test_example(self) -> None:
        """The shared example is valid and fills every field."""
        listing = Listing.model_validate_json(json.dumps(example_listing()))
        assert listing.zip_code == "06016"
        assert listing.prev_sold_date == dt.date(1999, 9, 30)
        assert set(listing.model_fields_set) == set(LISTING_COLUMNS)

    def test_only_the_state_is_needed(self) -> None:
        """Everything but the state may be unknown."""
        listing = parse()
        assert listing.status is Status.FOR_SALE
        assert listing.bed is None

    @pytest.mark.parametrize("zip_code", [6016, 6016.0, "06016", " 06016 ", "06016-1234"])
    def test_zip_code_has_five_digits(self, zip_code: object) -> None:
        """However a zip code was mangled, its five digits come back."""
        assert parse(zip_code=zip_code).zip_code == "06016"

    @pytest.mark.parametrize(
        "fields",
        [
            {"bed": -1},
            {"bed": 51},
            {"bed": "four"},
            {"bed": "4"},
            {"bath": True},
            {"house_size": 99},
            {"acre_lot": 10_001},
            {"state": "Conecticut"},
            {"state": "CT"},
            {"state": None},
            {"state": "  "},
            {"zip_code": "123"},
            {"zip_code": 0},
            {"zip_code": 100_000},
            {"zip_code": 6016.5},
            {"zip_code": True},
            {"zip_code": float("nan")},
            {"zip_code": 10**400},
            {"bed": 10**400},
            {"prev_sold_date": "2020-13-01"},
            {"prev_sold_date": "19990930"},
            {"prev_sold_date": "1899-12-31"},
            {"prev_sold_date": "2113-01-01"},
            {"prev_sold_date": 5},
            {"status": "s"},
            {"price": 1},
            {"colour": "blue"},
        ],
    )
    def test_refuses(self, fields: dict[str, Any]) -> None:
        """Values outside the domain, text in numbers and unknown fields are refused by the field's name."""
        with pytest.raises(ValidationError) as caught:
            parse(**fields)
        assert [str(error["loc"][0]) for error in caught.value.errors()] == list(fields)

    def test_blank_city_is_unknown(self) -> None:
        """A city of blanks says nothing, as an empty cell of a table does."""
        assert parse(city="  ").city is None

    def test_every_field_is_described(self) -> None:
        """Form, documentation and explanations find label, unit, group and example on every field."""
        for name, field in Listing.model_fields.items():
            extra = field.json_schema_extra
            assert isinstance(extra, dict), name
            assert {"label", "unit", "group", "example"} <= set(extra), name
            assert field.description, name
