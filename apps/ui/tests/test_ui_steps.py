"""The reasons add up, in whole dollars, from the base to the price."""

from collections.abc import Sequence

import altair as alt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraiser_schema import Appraisal, Contribution, Explanation, ModelRef
from appraiser_ui.appraise.steps import every_step, main_steps
from appraiser_ui.appraise.waterfall import in_words, waterfall


def explain(base_usd: float, effects: Sequence[float]) -> Explanation:
    """An explanation with these effects."""
    known = {"group": "size", "value": 1.0, "typical": None, "effect_log": 0.0, "text": ""}
    contributions = tuple(
        Contribution.model_validate(known | {"feature": f"f{n}", "label": f"F{n}", "effect_usd": effect})
        for n, effect in enumerate(effects)
    )
    appraisal = Appraisal(
        price_usd=base_usd + sum(effects),
        interval=None,
        model=ModelRef(name="house-price", version=1, simulated_data=False),
        request_id="1",
    )
    return Explanation(appraisal=appraisal, base_usd=base_usd, contributions=contributions)


EFFECTS = st.lists(st.floats(-200_000, 200_000), max_size=30)


class TestSteps:
    """Steps from the base to the price."""

    @given(base_usd=st.floats(10_000, 5_000_000), effects=EFFECTS, shown=st.integers(1, 10))
    def test_add_up(self, base_usd: float, effects: list[float], shown: int) -> None:
        """Each step starts where the one before ended; the last ends at the price, to the dollar."""
        explanation = explain(base_usd, effects)
        steps = main_steps(every_step(explanation), shown)
        at = round(base_usd)
        for step in steps:
            assert step.start_usd == at
            at = step.end_usd
        assert abs(at - explanation.appraisal.price_usd) <= 0.5 + 1e-6
        assert round(base_usd) + sum(step.effect_usd for step in steps) == at

    @given(effects=EFFECTS)
    def test_rounding_moves_no_effect_by_more_than_a_dollar(self, effects: list[float]) -> None:
        """What is shown for a reason is its effect, within a dollar."""
        for step in every_step(explain(300_000.4, effects)):
            assert abs(step.effect_usd - step.reasons[0].effect_usd) <= 1 + 1e-6

    def test_largest_first_and_small_ones_together(self) -> None:
        """The largest effects come first, whichever way they go; the rest is one step."""
        steps = main_steps(every_step(explain(100_000, [1, -500, 30, 2, 4])), 2)
        assert [step.label for step in steps] == ["F1", "F2", "3 smaller reasons"]
        assert steps[-1].effect_usd == 7

    def test_a_single_small_one_stays_itself(self) -> None:
        """One reason is not called smaller reasons."""
        assert len(main_steps(every_step(explain(100_000, [3, 2, 1])), 2)) == 3


class TestWaterfall:
    """The chart of the steps."""

    @pytest.mark.parametrize("effects", [[], [0.0], [-20_000, 5_000, 12.5]])
    def test_rows_run_from_the_typical_house_to_this_one(self, effects: list[float]) -> None:
        """The chart has a row for the base, one per step, and one for the price."""
        explanation = explain(300_000, effects)
        steps = every_step(explanation)
        chart = waterfall(300_000, steps, round(explanation.appraisal.price_usd)).to_dict()
        rows = next(iter(chart["datasets"].values()))
        assert (rows[0]["kind"], rows[-1]["kind"]) == ("total", "total")
        assert len(rows) == len(effects) + 2
        assert rows[-1]["low"] == round(explanation.appraisal.price_usd)

    def test_titles_carry_the_unit(self) -> None:
        """The axis says that it is dollars."""
        chart = waterfall(1, every_step(explain(1, [1])), 2)
        assert isinstance(chart, alt.LayerChart)
        assert "Price (US dollars)" in chart.to_json()

    def test_in_words(self) -> None:
        """Those who do not see the chart are told the same."""
        assert in_words(100, every_step(explain(100, [5])), 105) == (
            "From $100 for a typical house to $105 for this one, above all F0 with +$5."
        )
