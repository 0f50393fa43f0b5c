"""The answer: the price, how sure it is, which model gave it, and why."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from appraiser_schema import Appraisal, Contribution, Explanation, Interval, ModelRef
from appraiser_ui.appraise.described import value_of
from appraiser_ui.appraise.interval import interval_chart
from appraiser_ui.appraise.steps import Step, every_step, main_steps
from appraiser_ui.appraise.waterfall import in_words, waterfall
from appraiser_ui.figures import change, money, plain

SENTENCES: Final = 6
"""How many reasons are told in words beside the chart; the table has all of them."""


def show_answer(house: str, explanation: Explanation) -> None:
    """Draw the whole answer.

    Args:
        house: Which house it is about, in words.
        explanation: The answer.
    """
    _price(house, explanation.appraisal)
    st.markdown("#### Why this price")
    steps = every_step(explanation)
    chart, words = st.columns([3, 2], gap="medium")
    with chart:
        _chart(explanation, steps)
    with words:
        _sentences([step.reasons[0] for step in steps[:SENTENCES]])
    with st.expander(f"All {len(steps)} reasons in figures"):
        _table(explanation, steps)


def _price(house: str, appraisal: Appraisal) -> None:
    with st.container(border=True, key="answer"):
        st.caption(plain(house))
        price, model = st.columns([3, 2], gap="medium")
        with price:
            st.metric("Appraised price", money(appraisal.price_usd).replace("$", r"\$"))
        with model:
            _model(appraisal.model)
        if appraisal.interval:
            _interval(appraisal.price_usd, appraisal.interval)
        for warning in appraisal.warnings:
            st.warning(plain(warning), icon=":material/warning:")


def _model(model: ModelRef) -> None:
    st.markdown(f"Answered by **model version {model.version}**")
    if model.simulated_data:
        show_simulated()


def show_simulated() -> None:
    """Say clearly that the prices are not those of a real market."""
    st.badge(
        "Trained on simulated listings",
        icon=":material/science:",
        color="orange",
        help="The listings that this model learned from were made up by the built-in simulator. "
        "Its prices are for trying things out, not for real houses.",
    )


def _interval(price_usd: float, interval: Interval) -> None:
    share = f"{interval.coverage:.0%}".replace("%", " %")
    low, high = (plain(money(end)) for end in (interval.lower_usd, interval.upper_usd))
    st.markdown(f"**Between {low} and {high}** with {share} probability")
    st.altair_chart(
        interval_chart(price_usd, interval),
        alt=f"The price within its range from {money(interval.lower_usd)} to {money(interval.upper_usd)}.",
    )
    st.caption(
        f"How to read the range: among houses that the model had not seen, about {interval.coverage * 100:.0f} in 100 "
        "had a price inside the range given for them. "
        "A wide range means that houses like this one differ a lot in price."
    )


def _chart(explanation: Explanation, steps: Sequence[Step]) -> None:
    base, price = round(explanation.base_usd), round(explanation.appraisal.price_usd)
    main = main_steps(steps)
    with st.container(key="waterfall"):
        st.altair_chart(waterfall(base, main, price), alt=in_words(base, main, price))
    st.caption(
        f"{plain(_sum(base, steps, price))} "
        "A typical house is what the model expects before it knows anything about this one."
    )


def _sum(base: int, steps: Sequence[Step], price: int) -> str:
    """The reasons added up, in one line."""
    raised = sum(step.effect_usd for step in steps if step.effect_usd > 0)
    lowered = sum(step.effect_usd for step in steps if step.effect_usd < 0)
    return (
        f"{money(base)} for a typical house, raised by {money(raised)} and lowered by {money(-lowered)}, "
        f"makes {money(price)}."
    )


def _sentences(reasons: Sequence[Contribution]) -> None:
    st.markdown("**In words**")
    st.markdown("\n".join(f"- {plain(reason.text)}" for reason in reasons))


def _table(explanation: Explanation, steps: Sequence[Step]) -> None:
    rows = [_row(step) for step in steps]
    rows.insert(
        0, {"What": "Typical house", "This house": "", "Typical": "", "US dollars": money(explanation.base_usd)}
    )
    price = explanation.appraisal.price_usd
    rows.append({"What": "This house", "This house": "", "Typical": "", "US dollars": money(price)})
    st.table([{name: plain(cell) for name, cell in row.items()} for row in rows], border="horizontal", hide_index=True)


def _row(step: Step) -> dict[str, str]:
    reason = step.reasons[0]
    return {
        "What": step.label,
        "This house": value_of(reason.feature, reason.value),
        "Typical": value_of(reason.feature, reason.typical),
        "US dollars": change(step.effect_usd),
    }
