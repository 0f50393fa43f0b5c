"""Texts as codes."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraiser_schema.columns import Coded
from appraiser_schema.frames import to_columns

TEXTS = ("status", "state", "city", "zip_code")
NUMBERS = {**dict.fromkeys(("bed", "bath", "acre_lot", "house_size"), pl.Float64), "prev_sold_date": pl.Date}


class TestCoded:
    """A column of texts as codes holds the texts of the list."""

    @given(st.lists(st.none() | st.sampled_from(["", "a", "Å"]) | st.text(max_size=3)))
    def test_same_texts(self, texts: list[str | None]) -> None:
        """Whatever they are, also unknown or none at all."""
        frame = pl.DataFrame(
            {**dict.fromkeys(TEXTS, texts), **{name: [None] * len(texts) for name in NUMBERS}},
            schema={**dict.fromkeys(TEXTS, pl.String), **NUMBERS},
        )
        coded, plain = to_columns(frame, coded=True), to_columns(frame)
        for name in TEXTS:
            assert isinstance(coded[name], Coded)
            assert len(coded[name]) == len(texts)
            assert list(coded[name]) == plain[name]
            assert len(set(coded[name].values)) == len(coded[name].values)
        assert coded["bed"].tobytes() == plain["bed"].tobytes()

    def test_different(self) -> None:
        """Other texts have other codes: the test above can fail."""
        with pytest.raises(IndexError):
            list(Coded(("a",), pl.Series([0, 1]).to_numpy()))
