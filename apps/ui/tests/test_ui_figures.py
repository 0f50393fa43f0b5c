"""Figures and texts as people read them."""

import datetime as dt

import pytest

from appraiser_ui.figures import (
    NBSP,
    change,
    count,
    day,
    decimal,
    moment,
    money,
    number,
    percent,
    plain,
    short_money,
    spans,
)
from appraiser_ui.words import Language, speaking

MINUS = "\N{MINUS SIGN}"


class TestFigures:
    """What a figure looks like."""

    @pytest.mark.parametrize(("usd", "text"), [(312_400.4, "$312,400"), (-0.4, "$0"), (-1200, f"{MINUS}$1,200")])
    def test_money(self, usd: float, text: str) -> None:
        """Money is in whole dollars with thousands separated."""
        assert money(usd) == text

    @pytest.mark.parametrize(("usd", "text"), [(900.5, "+$900"), (-12_000, f"{MINUS}$12,000"), (0.2, "±$0")])
    def test_change(self, usd: float, text: str) -> None:
        """A change shows its sign."""
        assert change(usd) == text

    def test_count_of_nothing_known_is_a_dash(self) -> None:
        """What is not known yet is not zero."""
        assert count(None) != count(0) == "0"

    def test_moment_is_in_utc(self) -> None:
        """An instant is shown in UTC, wherever it was recorded."""
        zone = dt.timezone(dt.timedelta(hours=2))
        assert moment(dt.datetime(2026, 11, 24, 1, 5, tzinfo=zone)) == "Nov 23, 2026, 23:05 UTC"

    @pytest.mark.parametrize(
        ("value", "unit", "text"),
        [
            (1617.0, "sqft", "1,617 sqft"),
            (0.38, "acres", "0.38 acres"),
            ("Texas", "", "Texas"),
            (None, "sqft", "unknown"),
        ],
    )
    def test_number(self, value: float | str | None, unit: str, text: str) -> None:
        """A value carries its unit, and no zeros that say nothing."""
        assert number(value, unit) == text

    @pytest.mark.parametrize(
        ("numbers", "text"),
        [([0, 1, 2, 3], "0 to 3"), ([3, 0, 1], "0, 1, 3"), ([], ""), ([5, 7, 8, 9, 7], "5, 7 to 9")],
    )
    def test_spans(self, numbers: list[int], text: str) -> None:
        """Three and more numbers in a row are drawn together."""
        assert spans(numbers) == text

    def test_spanish(self) -> None:
        """Money, numbers, percent, days and moments are written as in Colombia."""
        with speaking(Language.SPANISH):
            assert money(312_400.4) == f"US${NBSP}312.400"
            assert change(-1200) == f"{MINUS}US${NBSP}1.200"
            assert number(1617.25, "pies²") == "1.617,25 pies²"
            assert number(None) == "desconocido"
            assert percent(3.44) == f"3,4{NBSP}%"
            assert day(dt.date(2026, 1, 2)) == "2 ene 2026"
            assert moment(dt.datetime(2026, 11, 24, 21, 5, tzinfo=dt.UTC)) == "24 nov 2026, 21:05 UTC"
            assert spans([0, 1, 2, 3]) == "0 a 3"

    @pytest.mark.parametrize(
        ("usd", "english", "spanish"),
        [(312, "$312", "US$_312"), (312_400, "$312K", "US$_312_k"), (1_250_000, "$1.2M", "US$_1,2_M")],
    )
    def test_short_money(self, usd: float, english: str, spanish: str) -> None:
        """In charts money is short, with the same rounding in both languages."""
        assert short_money(usd) == english
        with speaking(Language.SPANISH):
            assert short_money(usd) == spanish.replace("_", NBSP)

    @pytest.mark.parametrize(("most", "least", "text"), [(0, 0, "3"), (2, 0, "3"), (2, 1, "3.0"), (3, 3, "3.000")])
    def test_decimals(self, most: int, least: int, text: str) -> None:
        """No more decimals than say something, and no fewer than are asked for."""
        assert decimal(3.0, most, least) == text

    def test_plain_keeps_dollars_from_becoming_formulas(self) -> None:
        """Two dollar signs in a text do not turn what is between them into a formula."""
        assert plain("$1 to $2 [x](y)") == r"\$1 to \$2 \[x\]\(y\)"
