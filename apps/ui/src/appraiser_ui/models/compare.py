"""The version in service against any other: figures, parts of the market, features, and the range."""

from collections.abc import Sequence

import streamlit as st

from appraiser_schema import Alias, ModelReport, ModelStudy, ModelVersion
from appraiser_ui import readings
from appraiser_ui.charts import draw
from appraiser_ui.errors import ApiError
from appraiser_ui.figures import DASH, count, percent, plain
from appraiser_ui.models.charts import (
    FEATURES_SHOWN,
    coverage_chart,
    effects_chart,
    feature_title,
    importance_chart,
    part_title,
    parts_chart,
)
from appraiser_ui.models.metrics import METRICS, Metric
from appraiser_ui.models.pairs import Pair, moved, pair_of
from appraiser_ui.notices import observe, show_error
from appraiser_ui.words import say


def show_comparison(models: Sequence[ModelVersion], url: str) -> None:
    """Draw the comparison.

    Args:
        models: Newest first.
        url: Address of the API.
    """
    champion = next((model.version for model in models if Alias.CHAMPION in model.aliases), None)
    others = [model.version for model in models if model.version != champion]
    st.header(say("models.compare.title"))
    if champion is None or not others:
        st.markdown(say("models.compare.nothing"))
        return
    label = say("models.compare.choose", version=champion)
    other = st.selectbox(label, others, key="against", bind="query-params")
    studies = observe(lambda: (readings.model_report(url, champion), readings.model_report(url, other)))
    if isinstance(studies, ApiError):
        show_error(studies)
    else:
        _show(*studies)


def _show(champion: ModelStudy, other: ModelStudy) -> None:
    pair = pair_of(champion, other)
    key = "same" if pair.same else "own"
    st.caption(say(f"models.compare.{key}", rows=count(pair.rows)))
    figures, parts = st.columns(2, gap="large")
    with figures:
        st.markdown(f"### {say('models.compare.figures')}")
        _figures(pair, champion.model.version, other.model.version)
    with parts:
        st.markdown(f"### {say('models.compare.parts')}")
        _parts(pair)
    if champion.report is None or other.report is None:
        st.info(say("models.compare.no_report"), icon=":material/query_stats:")
        return
    _features(champion.report, other.report)
    _coverage(champion.report, other.report)


def _figures(pair: Pair, champion: int, other: int) -> None:
    rows = [
        {
            say("models.compare.figure"): plain(metric.short),
            say("models.in_service", version=champion): plain(metric.text(pair.champion.get(metric.name))),
            say("models.named", version=other): plain(metric.text(pair.other.get(metric.name))),
            say("models.compare.verdict"): plain(_verdict(metric, pair)),
        }
        for metric in METRICS
    ]
    st.table(rows, border="horizontal", hide_index=True)


def _verdict(metric: Metric, pair: Pair) -> str:
    """Which is better, with a sign and a word: nothing rests on colour."""
    ours, theirs = pair.champion.get(metric.name), pair.other.get(metric.name)
    if ours is None or theirs is None:
        return DASH
    if metric.text(ours) == metric.text(theirs):
        return say("models.compare.alike")
    better = metric.gain(ours, theirs) > 0
    return f"▲ {say('models.compare.better')}" if better else f"▼ {say('models.compare.worse')}"


def _parts(pair: Pair) -> None:
    parts = moved(pair)
    if not parts:
        st.markdown(say("models.compare.no_parts"))
        return
    with st.container(key="parts-moved"):
        worst, best = parts[0], parts[-1]
        alt = say(
            "models.compare.parts_alt",
            worst=part_title(worst),
            worse=percent(worst.change),
            best=part_title(best),
            better=percent(best.change),
        )
        draw(parts_chart(parts), alt)
    st.caption(say("models.compare.parts_what"))


def _features(champion: ModelReport, other: ModelReport) -> None:
    st.markdown(f"### {say('models.compare.features')}")
    st.caption(say("models.compare.features_what", rows=count(champion.rows_explained)))
    names = _names(champion, other)
    left, right = st.columns(2, gap="large")
    for column, title, report in (
        (left, say("models.in_service", version=champion.version), champion),
        (right, say("models.named", version=other.version), other),
    ):
        with column, st.container(key=f"effects-{report.version}"):
            st.markdown(f"**{title}**")
            first = feature_title(report.features[0])
            alt = say("models.compare.effects_alt", feature=first, effect=percent(report.features[0].mean_percent))
            draw(effects_chart(report, names), alt)
    st.markdown(f"### {say('models.compare.changed')}")
    with st.container(key="importance"):
        draw(importance_chart(champion, other), say("models.compare.changed_alt"))


def _names(champion: ModelReport, other: ModelReport) -> list[str]:
    """The features that matter most in either version, the same in both charts."""
    sizes: dict[str, float] = {}
    for report in (champion, other):
        for feature in report.features:
            sizes[feature.feature] = max(sizes.get(feature.feature, 0.0), feature.mean_percent)
    return sorted(sizes, key=lambda name: -sizes[name])[:FEATURES_SHOWN]


def _coverage(champion: ModelReport, other: ModelReport) -> None:
    st.markdown(f"### {say('models.compare.coverage')}")
    st.caption(say("models.compare.coverage_what", stated=percent(champion.stated_coverage)))
    reports = [
        (say("models.in_service", version=champion.version), champion),
        (say("models.named", version=other.version), other),
    ]
    with st.container(key="coverage"):
        draw(coverage_chart(reports), say("models.compare.coverage_alt"))
