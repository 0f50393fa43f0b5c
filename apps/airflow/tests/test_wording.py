"""Figures as decisions say them."""

import pytest

from appraiser_pipeline.wording import change, change_span, listed, percent


class TestWords:
    """What people read."""

    @pytest.mark.parametrize(("share", "text"), [(0.03, "3 %"), (0.034, "3.4 %"), (0.3, "30 %"), (1.5, "150 %")])
    def test_percent(self, share: float, text: str) -> None:
        """A share is said in percent, without zeros that say nothing."""
        assert percent(share) == text

    def test_no_decimals(self) -> None:
        """Zeros before the point stay."""
        assert percent(1, 0) == "100 %"

    @pytest.mark.parametrize(("share", "text"), [(-0.034, "3.4 % smaller"), (0.01, "1 % larger")])
    def test_change(self, share: float, text: str) -> None:
        """A change has a direction."""
        assert change(share) == text

    @pytest.mark.parametrize(
        ("low", "high", "text"),
        [
            (-0.05, -0.02, "2 % to 5 % smaller"),
            (0.01, 0.04, "1 % to 4 % larger"),
            (-0.01, 0.02, "1 % smaller to 2 % larger"),
        ],
    )
    def test_span(self, low: float, high: float, text: str) -> None:
        """A span says its direction once, where it has one."""
        assert change_span(low, high) == text

    @pytest.mark.parametrize(
        ("names", "text"),
        [
            (["Utah"], "Utah"),
            (["Ohio", "Utah"], "Ohio and Utah"),
            (["Iowa", "Ohio", "Utah"], "Iowa, Ohio and Utah"),
            (list("abcdefg"), "a, b, c, d, e and 2 more"),
        ],
    )
    def test_listed(self, names: list[str], text: str) -> None:
        """Names are listed as in a sentence, and no more than five."""
        assert listed(names) == text
