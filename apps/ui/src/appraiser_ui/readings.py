"""What the page has read from the API lately, so that drawing it again costs no call."""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from appraiser_schema import Batch, Decision, Explanation, ModelDetail, ModelVersion, Ready
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


def explain(url: str, listing: Mapping[str, Any], version: int) -> Explanation:
    """Appraise a house with the model in service; the same house and version is asked once.

    Args:
        url: Address of the API.
        listing: JSON values by field.
        version: The version in service, as far as the page knows.
    """
    text = json.dumps(listing, sort_keys=True)
    answer = _explain(url, text, version)
    if answer.appraisal.model.version != version:
        # Another version took over in between: its answer must not be kept under the name of the old one.
        _explain.clear(url, text, version)
    return answer


@st.cache_data(show_spinner=False, max_entries=512)
def _explain(url: str, listing: str, version: int) -> Explanation:  # noqa: ARG001 - part of the key
    return connect(url).explain(json.loads(listing))
