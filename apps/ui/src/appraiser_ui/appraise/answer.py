"""The answer: the price, how sure it is, which model gave it, and why."""

from collections.abc import Sequence
from typing import Final, Literal

import streamlit as st

from appraiser_schema import CautionCode, Contribution, Explanation, Interval, ModelRef
from appraiser_ui.appraise import sentences
from appraiser_ui.appraise.confidence import NARROW, WIDE, Confidence, confidence, shares
from appraiser_ui.appraise.described import value_of
from appraiser_ui.appraise.interval import interval_chart
from appraiser_ui.appraise.steps import Step, every_step, main_steps
from appraiser_ui.appraise.waterfall import in_words, waterfall
from appraiser_ui.charts import draw
from appraiser_ui.figures import change, money, percent, plain
from appraiser_ui.words import say

SENTENCES: Final = 6
"""How many reasons are told in words beside the chart; the table has all of them."""

UNLIKE: Final = frozenset({CautionCode.FEW_IN_STATE, CautionCode.NUMBER_OUTSIDE, CautionCode.PRICE_AT_EDGE})
"""Cautions of a house that is unlike the training data; the others tell that less is known of it."""

_BADGES: Final[dict[Confidence, tuple[Literal["blue", "gray", "orange"], str]]] = {
    Confidence.HIGH: ("blue", ":material/verified:"),
    Confidence.MEDIUM: ("gray", ":material/adjust:"),
    Confidence.LOW: ("orange", ":material/help:"),
}


def show_price(house: str, explanation: Explanation) -> None:
    """Draw the price with its range, how sure it is, and what speaks against it.

    Args:
        house: Which house it is about, in words.
        explanation: The answer.
    """
    appraisal = explanation.appraisal
    with st.container(border=True, key="answer"):
        st.caption(plain(house))
        price, model = st.columns([3, 2], gap="medium")
        with price:
            st.metric(say("appraise.answer.price"), plain(money(appraisal.price_usd)))
        with model:
            _sureness(explanation)
            _model(appraisal.model)
        if appraisal.interval:
            _interval(appraisal.price_usd, appraisal.interval)
        _cautions(explanation)


def show_reasons(explanation: Explanation) -> None:
    """Draw why: as a chart, in words, and every figure in a table."""
    st.header(say("appraise.why.title"))
    steps = every_step(explanation)
    chart, words = st.columns([3, 2], gap="medium")
    with chart:
        _chart(explanation, steps)
    with words:
        _sentences([step.reasons[0] for step in steps[:SENTENCES]])
    with st.expander(say("appraise.why.table", count=len(steps))):
        _table(explanation, steps)


def show_simulated() -> None:
    """Say clearly that the prices are not those of a real market."""
    st.badge(say("frame.simulated.badge"), icon=":material/science:", color="orange", help=say("frame.simulated.help"))


def _cautions(explanation: Explanation) -> None:
    """What speaks against the price; that a house is unlike all others is said only where it is."""
    if not explanation.cautions:
        return
    unlike = any(caution.code in UNLIKE for caution in explanation.cautions)
    title = say("appraise.answer.unlike") if unlike else say("appraise.answer.less_certain")
    found = "\n".join(f"- {plain(sentences.caution(caution))}" for caution in explanation.cautions)
    st.warning(f"**{title}**\n\n{found}", icon=":material/warning:")


def _sureness(explanation: Explanation) -> None:
    sure = confidence(explanation)
    if sure is None:
        return
    colour, icon = _BADGES[sure]
    narrow, wide = (percent(share * 100) for share in (NARROW, WIDE))
    about = say("appraise.confidence.help", narrow=narrow, wide=wide)
    st.badge(say(f"appraise.confidence.{sure}"), color=colour, icon=icon, help=about)


def _model(model: ModelRef) -> None:
    st.markdown(say("appraise.answer.model", version=model.version))
    if model.simulated_data:
        show_simulated()


def _interval(price_usd: float, interval: Interval) -> None:
    low, high = (money(end) for end in (interval.lower_usd, interval.upper_usd))
    share = percent(interval.coverage * 100)
    below, above = (percent(part, 0) for part in shares(price_usd, interval))
    st.markdown(
        f"{say('appraise.answer.between', low=plain(low), high=plain(high), share=share)}  \n"
        f"{say('appraise.confidence.text', below=below, above=above)}"
    )
    draw(interval_chart(price_usd, interval), say("appraise.answer.range_alt", low=low, high=high))
    st.caption(say("appraise.answer.range_help", share=round(interval.coverage * 100)))


def _chart(explanation: Explanation, steps: Sequence[Step]) -> None:
    base, price = round(explanation.base_usd), round(explanation.appraisal.price_usd)
    main = main_steps(steps)
    with st.container(key="waterfall"):
        draw(waterfall(base, main, price), in_words(base, main, price))
    st.caption(f"{plain(_sum(base, steps, price))} {say('appraise.why.typical')}")


def _sum(base: int, steps: Sequence[Step], price: int) -> str:
    """The reasons added up, in one line."""
    raised = sum(step.effect_usd for step in steps if step.effect_usd > 0)
    lowered = sum(step.effect_usd for step in steps if step.effect_usd < 0)
    return say("appraise.why.sum", base=money(base), raised=money(raised), lowered=money(-lowered), price=money(price))


def _sentences(reasons: Sequence[Contribution]) -> None:
    st.markdown(f"**{say('appraise.why.in_words')}**")
    st.markdown("\n".join(f"- {plain(sentences.reason(reason))}" for reason in reasons))


def _table(explanation: Explanation, steps: Sequence[Step]) -> None:
    ends = (("frame.typical_house", explanation.base_usd), ("frame.this_house", explanation.appraisal.price_usd))
    first, last = ((say(label), "", "", money(usd)) for label, usd in ends)
    heads = [say(f"appraise.why.{name}") for name in ("what", "this", "usual", "dollars")]
    rows = [first, *map(_row, steps), last]
    cells = [dict(zip(heads, map(plain, row), strict=True)) for row in rows]
    st.table(cells, border="horizontal", hide_index=True)


def _row(step: Step) -> tuple[str, str, str, str]:
    reason = step.reasons[0]
    this, typical = (value_of(reason.feature, value) for value in (reason.value, reason.typical))
    return step.label, this, typical, change(step.effect_usd)
