"""The form follows the declaration of a listing."""

import datetime as dt

import pytest

from appraiser_schema import LISTING_COLUMNS, STATES, Listing, example_listing
from appraiser_ui.appraise.described import described
from appraiser_ui.appraise.fields import Kind, form_fields, word
from appraiser_ui.words import Language, speaking

FIELDS = form_fields()


class TestFields:
    """What the form knows of each field."""

    def test_every_field_of_a_listing(self) -> None:
        """The form asks for everything that a listing can say, in its order."""
        assert tuple(FIELDS) == LISTING_COLUMNS

    def test_only_required_or_defaulted_fields_cannot_be_unknown(self) -> None:
        """What a listing may leave out can be left empty."""
        nullable = {name for name, field in Listing.model_fields.items() if field.default is None}
        assert {name for name, field in FIELDS.items() if field.optional} == nullable

    def test_number(self) -> None:
        """A number has its unit, range, step and example from the declaration."""
        size = FIELDS["house_size"]
        assert (size.kind, size.label) == (Kind.NUMBER, "Living area (sqft)")
        assert (size.minimum, size.maximum, size.step, size.example) == (100, 50_000, 10, 1617.0)

    def test_state_is_chosen_from_the_list(self) -> None:
        """States are offered as the API writes them."""
        assert FIELDS["state"].options == STATES
        assert word("District of Columbia") == "District of Columbia"

    def test_status_is_offered_in_words(self) -> None:
        """Options are shown as words and sent as they are declared."""
        assert [word(option) for option in FIELDS["status"].options] == ["For sale", "Sold", "Ready to build"]

    def test_date(self) -> None:
        """The last sale is a date."""
        assert FIELDS["prev_sold_date"].kind is Kind.DATE
        assert FIELDS["prev_sold_date"].example == dt.date(1999, 9, 30)

    def test_zip_code_is_text(self) -> None:
        """A zip code keeps its leading zero."""
        assert (FIELDS["zip_code"].kind, FIELDS["zip_code"].example) == (Kind.TEXT, "06016")


class TestLanguages:
    """Fields in both languages."""

    @pytest.mark.parametrize("name", LISTING_COLUMNS)
    def test_every_field_has_words(self, name: str) -> None:
        """In English they are those of the declaration, in Spanish others; title, help and rule are all there."""
        declared = FIELDS[name].declared
        assert FIELDS[name].title == declared["title"]
        assert FIELDS[name].help
        assert FIELDS[name].rule
        with speaking(Language.SPANISH):
            assert FIELDS[name].title not in {declared["title"], ""}
            assert FIELDS[name].help != declared["help"]

    def test_spanish(self) -> None:
        """Units and options too are in the language that is spoken."""
        with speaking(Language.SPANISH):
            assert FIELDS["house_size"].label == "Área construida (pies²)"
            assert [word(option) for option in FIELDS["status"].options] == [
                "En venta",
                "Vendida",
                "Lista para construir",
            ]
            assert "Área construida: 1.617 pies²" in described(example_listing())
            assert "Última venta: 30 sept 1999" in described(example_listing())


class TestDescribed:
    """A house in one line."""

    def test_example(self) -> None:
        """What is known is said with its unit."""
        line = described(example_listing())
        assert "Living area: 1,617 sqft" in line
        assert "Status: For sale" in line

    def test_unknown_is_left_out(self) -> None:
        """What is not known is not mentioned."""
        assert described({"state": "Texas", "bed": None}) == "State: Texas"
