"""Comparable listings: those most like the house that the model has learned from, on a map and in a table."""

import statistics
from collections.abc import Mapping
from typing import Any

import streamlit as st

from appraiser_schema import Comparable, Comparables, Explanation
from appraiser_ui import readings
from appraiser_ui.appraise.fields import form_fields, word
from appraiser_ui.appraise.map import comparables_map
from appraiser_ui.charts import draw
from appraiser_ui.errors import ApiError
from appraiser_ui.figures import count, decimal, money, plain
from appraiser_ui.notices import observe, show_error
from appraiser_ui.tables import show_table, written
from appraiser_ui.words import say


def show_comparables(url: str, listing: Mapping[str, Any], explanation: Explanation) -> None:
    """Draw the map and the table, or say why there are none.

    Args:
        url: Address of the API.
        listing: The house as it was asked about.
        explanation: What was answered about it.
    """
    version = explanation.appraisal.model.version
    st.header(say("appraise.comparables.title"))
    found = observe(lambda: readings.comparables(url, listing, version))
    if isinstance(found, ApiError):
        show_error(found)
    elif found.missing is not None:
        st.info(say(f"appraise.comparables.{found.missing}"), icon=":material/inventory_2:")
    elif not found.listings:
        st.info(say("appraise.comparables.none"), icon=":material/search_off:")
    else:
        _show(url, listing, explanation, found)


def _show(url: str, listing: Mapping[str, Any], explanation: Explanation, found: Comparables) -> None:
    st.markdown(say("appraise.comparables.lead", version=found.model.version))
    chart, table = st.columns([3, 4], gap="medium")
    with chart:
        _map(url, listing, explanation, found)
    with table:
        _table(found)


def _map(url: str, listing: Mapping[str, Any], explanation: Explanation, found: Comparables) -> None:
    state = observe(lambda: readings.state_market(url, listing["state"], found.model.version))
    cities = () if isinstance(state, ApiError) else state.cities
    places = tuple(code for city in cities for code in city.zip_codes)
    st.markdown(f"**{say('appraise.comparables.map')}**")
    with st.container(key="comparables-map"):
        draw(
            comparables_map(found, places, explanation.appraisal.price_usd),
            say("appraise.comparables.map_alt", count=len(found.listings)),
        )
    st.caption(say("appraise.comparables.map_note", state=listing["state"]))


def _table(found: Comparables) -> None:
    columns = st.column_config
    names = {name: form_fields()[name].label for name in ("house_size", "bed", "bath", "acre_lot")}
    show_table(
        written(
            [_row(comparable) for comparable in found.listings],
            {
                "alike": lambda value: decimal(value, 0),
                "price": money,
                "area": money,
                "miles": lambda v: decimal(v, 1, 1),
            }
            | dict.fromkeys(names, decimal),
        ),
        column_config={
            "alike": columns.NumberColumn(
                say("appraise.comparables.alike"), help=say("appraise.comparables.alike_help")
            ),
            "price": columns.NumberColumn(say("appraise.comparables.price")),
            "area": columns.NumberColumn(say("appraise.comparables.per_area")),
            "where": columns.TextColumn(say("appraise.comparables.where")),
            "miles": columns.NumberColumn(say("appraise.comparables.miles")),
            **{name: columns.NumberColumn(label) for name, label in names.items()},
            "status": columns.TextColumn(form_fields()["status"].title),
        },
        key="comparables",
        alt=say("appraise.comparables.lead", version=found.model.version),
    )
    _summary(found)


def _row(comparable: Comparable) -> dict[str, Any]:
    return {
        "alike": comparable.likeness,
        "price": comparable.price_usd,
        "where": " ".join(part for part in (comparable.city, comparable.zip_code) if part) or comparable.state,
        "miles": comparable.miles,
        "house_size": comparable.house_size,
        "bed": comparable.bed,
        "bath": comparable.bath,
        "acre_lot": comparable.acre_lot,
        "area": comparable.price_usd / comparable.house_size if comparable.house_size else None,
        "status": word(comparable.status),
    }


def _summary(found: Comparables) -> None:
    price = statistics.median(comparable.price_usd for comparable in found.listings)
    areas = [c.price_usd / c.house_size for c in found.listings if c.house_size]
    per_area = plain(money(statistics.median(areas))) if areas else say("frame.unknown")
    text = say("appraise.comparables.median", price=plain(money(price)), per_area=per_area)
    if found.rows_kept < found.rows_train:
        sample = say("appraise.comparables.sample", all=count(found.rows_train), kept=count(found.rows_kept))
        text = f"{text} {sample}"
    st.caption(text)
