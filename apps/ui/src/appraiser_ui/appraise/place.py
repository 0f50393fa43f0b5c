"""Choosing a place by state, then city, then zip code, marked with what the model has learned from."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from appraiser_schema import SeenPlace
from appraiser_ui import readings
from appraiser_ui.appraise.fields import FormField, form_fields
from appraiser_ui.errors import ApiError
from appraiser_ui.figures import count, plain
from appraiser_ui.notices import observe
from appraiser_ui.words import say

KEEP: Final = "session"
"""The form keeps what was filled in while another page is looked at."""

_WITHIN: Final[Mapping[str, tuple[str, ...]]] = {"city": ("state",), "zip_code": ("state", "city")}

type Seen = Mapping[str, SeenPlace]


def key_of(name: str, house: Mapping[str, Any]) -> str:
    """Key of the widget of a field: each state has a city of its own, and each city a zip code.

    An answer to the choice of a state can then not empty a city that was chosen while it was on its way.
    """
    return "-".join(("listing", name, *(house[outer] or "" for outer in _WITHIN.get(name, ()))))


class Places:
    """What the model in service has learned from; nothing where it does not tell."""

    def __init__(self, url: str, version: int | None) -> None:
        self._url = url
        self._version = version

    def states(self) -> Seen | None:
        """The states; None where nothing is known of them."""
        version = self._version
        market = None if version is None else observe(lambda: readings.market(self._url, version))
        if market is None or isinstance(market, ApiError):
            return None
        return _named(market.states)

    def cities(self, state: str) -> Seen:
        """The cities of a state."""
        version = self._version
        found = None if version is None else observe(lambda: readings.state_market(self._url, state, version))
        return {} if found is None or isinstance(found, ApiError) else _named(found.cities)

    def zip_codes(self, state: str, city: str | None) -> Seen:
        """The zip codes of a city."""
        found = {name.lower(): place for name, place in self.cities(state).items()}.get((city or "").lower())
        return _named(getattr(found, "zip_codes", ()))


def choose_state(places: Places) -> str:
    """Let the visitor choose a state."""
    field, seen = form_fields()["state"], places.states()

    def shown(name: str) -> str:
        if seen is None:
            return name
        rows = seen[name].listings if name in seen else 0
        return say("appraise.form.option", name=name, count=count(rows)) if rows else _unseen(name)

    return st.selectbox(
        field.label,
        field.options,
        key=key_of("state", {}),
        format_func=shown,
        help=field.help,
        persist_state=KEEP,
    )


def choose_city(places: Places, state: str) -> str | None:
    """Let the visitor choose a city of the state, or type one."""
    seen = places.cities(state)
    city = _choose(form_fields()["city"], seen, {"state": state})
    if city and seen:
        known = {name.lower(): place for name, place in seen.items()}.get(city.lower())
        st.caption(_learned(known) if known else plain(say("appraise.form.no_city", city=city)))
    return city


def choose_zip_code(places: Places, state: str, city: str | None) -> str | None:
    """Let the visitor choose a zip code of the city, or type one."""
    seen = places.zip_codes(state, city)
    code = _choose(form_fields()["zip_code"], seen, {"state": state, "city": city})
    if code and seen:
        st.caption(_learned(seen[code]) if code in seen else say("appraise.form.no_zip", zip=plain(code)))
    return code


def _choose(field: FormField, seen: Seen, house: Mapping[str, Any]) -> str | None:
    def shown(name: str) -> str:
        return say("appraise.form.option", name=name, count=count(seen[name].listings)) if name in seen else name

    return st.selectbox(
        field.label,
        list(seen),
        index=None,
        key=key_of(field.name, house),
        format_func=shown,
        help=field.help,
        placeholder=say("appraise.form.choose_or_type"),
        accept_new_options=True,
        persist_state=KEEP,
    )


def _learned(place: SeenPlace) -> str:
    return say("appraise.form.learned", count=place.listings)


def _unseen(name: str) -> str:
    return say("appraise.form.unseen", name=name)


def _named(places: Sequence[SeenPlace]) -> Seen:
    return {place.name: place for place in places}
