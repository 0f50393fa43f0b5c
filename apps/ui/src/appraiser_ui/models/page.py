"""The page *Models*: every version, how good it is, what was decided about it, and the way back."""

from collections.abc import Sequence

import streamlit as st

from appraiser_schema import Batch, Decision, ModelVersion, Reign
from appraiser_ui import readings
from appraiser_ui.appraise.progress import progress
from appraiser_ui.charts import draw
from appraiser_ui.errors import ApiError
from appraiser_ui.figures import plain
from appraiser_ui.models.compare import show_comparison
from appraiser_ui.models.history import show_history
from appraiser_ui.models.metrics import METRICS, Metric
from appraiser_ui.models.rollback import show_rollback
from appraiser_ui.models.selected import show_selected
from appraiser_ui.models.timeline import timeline
from appraiser_ui.models.versions import show_versions
from appraiser_ui.notices import observe, show_error, watch
from appraiser_ui.words import say

type Seen = tuple[tuple[ModelVersion, ...], tuple[Batch, ...], tuple[Decision, ...], tuple[Reign, ...]]
"""Every version, batch, decision and reign, the newest first."""


def show(url: str) -> None:
    """Draw the page.

    Args:
        url: Address of the API.
    """
    st.title(say("models.title"))
    st.markdown(say("models.intro"))

    def look() -> Seen:
        return readings.models(url), readings.batches(url), readings.decisions(url), readings.history(url)

    seen = observe(look)
    if isinstance(seen, ApiError):
        show_error(seen)
    else:
        models, batches, decisions, reigns = seen
        if models:
            _versions(url, models, reigns)
        else:
            doing = plain(progress(batches, decisions))
            st.info(f"**{say('models.none')}** {doing}", icon=":material/hourglass_top:")
    watch(look, seen)


def _versions(url: str, models: Sequence[ModelVersion], reigns: Sequence[Reign]) -> None:
    st.header(say("models.versions.title"))
    show_versions(models)
    with st.expander(say("models.meanings")):
        st.markdown("\n".join(f"- **{plain(metric.short)}**: {plain(metric.help)}" for metric in METRICS))
    chosen, course = st.columns([3, 2], gap="large")
    with course:
        _course(models)
    with chosen:
        numbers = [model.version for model in models]
        version = st.selectbox(say("models.look_at"), numbers, key="version", bind="query-params")
        model = observe(lambda: readings.model_version(url, version))
        if isinstance(model, ApiError):
            show_error(model)
        else:
            show_selected(model, url)
    show_comparison(models, url)
    show_history(reigns, models)
    show_rollback(models, reigns, url)


def _course(models: Sequence[ModelVersion]) -> None:
    with st.container(border=True, key="timeline"):
        st.markdown(f"### {say('models.course.title')}")
        names = {metric.name: metric for metric in METRICS}
        name = st.selectbox(
            say("models.course.figure"), list(names), format_func=lambda name: names[name].short, key="metric"
        )
        metric: Metric = names[name]
        draw(timeline(models, metric), say("models.course.alt", figure=metric.long))
        st.caption(f"{plain(metric.help)} {say('models.course.what')}")
