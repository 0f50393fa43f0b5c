"""What the page has read from the API lately, so that drawing it again costs no call."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from appraiser_schema import (
    Appraisal,
    Batch,
    BatchDetail,
    Comparables,
    Decision,
    Explanation,
    LiveError,
    Market,
    ModelDetail,
    ModelStudy,
    ModelVersion,
    Ready,
    Reign,
    ServiceState,
    StateMarket,
)
from appraiser_ui.client import ApiClient
from appraiser_ui.settings import Settings

FRESH = 2.0
"""Seconds that a reading is good for: all sessions together ask at most this often."""


@st.cache_resource(show_spinner=False, max_entries=8)
def connect(url: str) -> ApiClient:
    """The client that all sessions share, one per address, with the key of the environment."""
    key = Settings().api_key
    return ApiClient(url, None if key is None else key.get_secret_value())


@st.cache_data(ttl=FRESH, show_spinner=False)
def ready(url: str) -> Ready:
    """Whether the API can appraise, and with which model."""
    return connect(url).ready()


@st.cache_data(ttl=FRESH, show_spinner=False)
def models(url: str) -> tuple[ModelVersion, ...]:
    """Every version, newest first."""
    return tuple(sorted(connect(url).models(), key=lambda model: -model.version))


@st.cache_data(ttl=FRESH, show_spinner=False, max_entries=256)
def model_version(url: str, version: int) -> ModelDetail:
    """One version with its card."""
    return connect(url).model_version(version)


@st.cache_data(ttl=FRESH, show_spinner=False, max_entries=256)
def model_card(url: str, version: int) -> str:
    """The card of one version in words, as Markdown."""
    return connect(url).model_card(version)


@st.cache_data(ttl=FRESH, show_spinner=False)
def batches(url: str) -> tuple[Batch, ...]:
    """Every batch, newest first."""
    return tuple(sorted(connect(url).batches(), key=lambda batch: -batch.batch_number))


@st.cache_data(ttl=FRESH, show_spinner=False)
def decisions(url: str) -> tuple[Decision, ...]:
    """Every decision, newest first."""
    return tuple(sorted(connect(url).decisions(), key=lambda decision: decision.decided_at, reverse=True))


@st.cache_data(ttl=FRESH, show_spinner=False, max_entries=64)
def batch(url: str, batch_number: int) -> BatchDetail:
    """One batch: what was refused, how it differs, and what was decided after it."""
    return connect(url).batch(batch_number)


@st.cache_data(ttl=FRESH, show_spinner=False, max_entries=64)
def model_report(url: str, version: int) -> ModelStudy:
    """How one version did and works."""
    return connect(url).model_report(version)


@st.cache_data(ttl=FRESH, show_spinner=False)
def history(url: str) -> tuple[Reign, ...]:
    """Who was in production when, the newest first."""
    return tuple(reversed(connect(url).history()))


@st.cache_data(ttl=FRESH, show_spinner=False)
def live_errors(url: str) -> tuple[LiveError, ...]:
    """The live error of each version, the newest first."""
    return connect(url).live_errors()


@st.cache_data(ttl=FRESH, show_spinner=False)
def service(url: str) -> ServiceState:
    """How the service stands."""
    return connect(url).service()


def explain(url: str, listing: Mapping[str, Any], version: int) -> Explanation:
    """Appraise a house with the model in service; the same house and version is asked once.

    Args:
        url: Address of the API.
        listing: JSON values by field.
        version: The version in service, as far as the page knows.
    """
    key = url, _text(listing), version
    return _kept(_explain, key, lambda answer: answer.appraisal.model.version == version)


def predict(url: str, listing: Mapping[str, Any], version: int) -> Appraisal:
    """Appraise a house without saying why."""
    return _kept(_predict, (url, _text(listing), version), lambda answer: answer.model.version == version)


def comparables(url: str, listing: Mapping[str, Any], version: int) -> Comparables:
    """Listings like a house."""

    def lasts(answer: Comparables) -> bool:
        return answer.model.version == version and answer.missing != "unreadable"

    return _kept(_comparables, (url, _text(listing), version), lasts)


def market(url: str, version: int) -> Market:
    """What a version has learned from, all in all."""
    return _kept(_market, (url, version), lambda answer: answer.model.version == version)


def state_market(url: str, state: str, version: int) -> StateMarket:
    """What a version has learned from in one state."""
    return _kept(_state_market, (url, state, version), lambda answer: answer.model.version == version)


def _kept[Answer](cached: Any, key: tuple[Any, ...], lasts: Callable[[Answer], bool]) -> Answer:
    """An answer, kept for as long as its version serves.

    Where another version took over in between, its answer must not be kept under the name of the old one.
    """
    answer: Answer = cached(*key)
    if not lasts(answer):
        cached.clear(*key)
    return answer


def _text(listing: Mapping[str, Any]) -> str:
    return json.dumps(listing, sort_keys=True)


@st.cache_data(show_spinner=False, max_entries=512)
def _explain(url: str, listing: str, version: int) -> Explanation:  # noqa: ARG001 - part of the key
    return connect(url).explain(json.loads(listing))


@st.cache_data(show_spinner=False, max_entries=2048)
def _predict(url: str, listing: str, version: int) -> Appraisal:  # noqa: ARG001 - part of the key
    return connect(url).predict(json.loads(listing))


@st.cache_data(show_spinner=False, max_entries=512)
def _comparables(url: str, listing: str, version: int) -> Comparables:  # noqa: ARG001 - part of the key
    return connect(url).comparables(json.loads(listing))


@st.cache_data(show_spinner=False, max_entries=8)
def _market(url: str, version: int) -> Market:  # noqa: ARG001 - part of the key
    return connect(url).market()


@st.cache_data(show_spinner=False, max_entries=128)
def _state_market(url: str, state: str, version: int) -> StateMarket:  # noqa: ARG001 - part of the key
    return connect(url).state_market(state)
