"""What the house would be worth if it were larger, smaller, or otherwise."""

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from appraiser_schema import Appraisal, Explanation, Market
from appraiser_ui import readings
from appraiser_ui.appraise.fields import FormField, form_fields
from appraiser_ui.errors import ApiError
from appraiser_ui.figures import change, money, plain
from appraiser_ui.notices import observe, show_error
from appraiser_ui.words import say

MOVABLE: Final = ("house_size", "acre_lot", "bed", "bath")
"""Fields that have a slider."""

USUAL: Final = 5
"""A slider ends at so many times what the house or a typical one has: few have a hundred acres, but some do."""

_ROUND: Final = "what-if-round"
"""Counts how often the sliders went back, so that they start anew."""


@st.fragment
def show_what_if(url: str, listing: Mapping[str, Any], explanation: Explanation) -> None:
    """Draw the sliders and the price that follows them; nothing else on the page is drawn again.

    Args:
        url: Address of the API.
        listing: The house as it was asked about.
        explanation: What was answered.
    """
    appraisal = explanation.appraisal
    version = appraisal.model.version
    market = observe(lambda: readings.market(url, version))
    if isinstance(market, ApiError):
        return
    st.header(say("appraise.what_if.title"))
    st.caption(say("appraise.what_if.lead"))
    sliders, answer = st.columns([3, 2], gap="large")
    with sliders:
        moved = {name: _slider(form_fields()[name], listing.get(name), market, appraisal) for name in MOVABLE}
    then = observe(lambda: readings.predict(url, {**listing, **moved}, version))
    with answer, st.container(border=True, key="what-if"):
        if isinstance(then, ApiError):
            show_error(then)
        else:
            _show(then, appraisal)


def _slider(field: FormField, value: float | None, market: Market, appraisal: Appraisal) -> float | None:
    """A slider over what the model has learned from. It changes nothing before it is moved."""
    low, high = _span(field, value, market)
    typical = market.typical.get(field.name)
    start = value if value is not None else typical if isinstance(typical, float) else low
    as_number, step = (int, int(field.step or 1)) if field.whole else (float, field.step or 0.1)
    first = as_number(min(max(start, low), high))
    rounds = st.session_state.get(_ROUND, 0)
    moved = st.slider(
        field.label,
        as_number(low),
        as_number(high),
        first,
        step=as_number(step),
        format="%d" if field.whole else "%g",
        key=f"what-if-{appraisal.request_id}-{rounds}-{field.name}",
        help=say("appraise.what_if.unknown") if value is None else None,
    )
    return value if moved == first else float(moved)


def _span(field: FormField, value: float | None, market: Market) -> tuple[float, float]:
    """From the smallest that nearly all training listings have to several times what is usual, and the house itself."""
    low, high = market.spans.get(field.name, (field.minimum, field.maximum))
    typical, step = market.typical.get(field.name), field.step or 1
    usual = [number for number in (typical, value) if isinstance(number, int | float)]
    lowest = min([low, *usual])
    highest = max([min(high, USUAL * max(usual, default=high)), *usual])
    return max(field.minimum, lowest - lowest % step), min(field.maximum, highest + step)


def _show(then: Appraisal, now: Appraisal) -> None:
    differs = round(then.price_usd) != round(now.price_usd)
    st.metric(
        say("appraise.what_if.price"),
        plain(money(then.price_usd)),
        plain(change(then.price_usd - now.price_usd)) if differs else say("appraise.what_if.same"),
        delta_color="blue" if then.price_usd > now.price_usd else "orange" if differs else "off",
        delta_arrow="auto" if differs else "off",
    )
    if then.interval:
        low, high = (plain(money(end)) for end in (then.interval.lower_usd, then.interval.upper_usd))
        st.markdown(say("appraise.what_if.between", low=low, high=high))
    st.button(say("appraise.what_if.reset"), icon=":material/undo:", key="what-if-reset", on_click=_back)


def _back() -> None:
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
