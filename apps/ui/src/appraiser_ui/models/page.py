"""The page *Models*: every version, how good it is, and what was decided about it."""

from collections.abc import Sequence

import streamlit as st

from appraiser_schema import Batch, Decision, ModelVersion
from appraiser_ui import readings
from appraiser_ui.appraise.progress import progress
from appraiser_ui.errors import ApiError
from appraiser_ui.figures import plain
from appraiser_ui.models.batches import show_batches
from appraiser_ui.models.metrics import METRICS, Metric
from appraiser_ui.models.selected import show_selected
from appraiser_ui.models.timeline import timeline
from appraiser_ui.models.versions import show_versions
from appraiser_ui.notices import observe, show_error, watch

type Seen = tuple[tuple[ModelVersion, ...], tuple[Batch, ...], tuple[Decision, ...]]
"""Every version, batch and decision, the newest first."""


def show(url: str) -> None:
    """Draw the page.

    Args:
        url: Address of the API.
    """
    st.title("Models")
    st.markdown(
        "Each time enough has changed, a new version of the model is trained and tested against the one in service, "
        "on houses that neither has seen. It goes into service only if it is better."
    )

    def look() -> Seen:
        return readings.models(url), readings.batches(url), readings.decisions(url)

    seen = observe(look)
    if isinstance(seen, ApiError):
        show_error(seen)
    else:
        _show_all(url, *seen)
    watch(look, seen)


def _show_all(
    url: str, models: Sequence[ModelVersion], batches: Sequence[Batch], decisions: Sequence[Decision]
) -> None:
    if models:
        _versions(url, models)
    else:
        doing = progress(batches, decisions)
        st.info(f"**No model has been trained yet.** {plain(doing)}", icon=":material/hourglass_top:")
    st.subheader("Batches")
    if batches:
        show_batches(batches)
    else:
        st.markdown("No batch of listings has arrived yet.")


def _versions(url: str, models: Sequence[ModelVersion]) -> None:
    st.subheader("Versions")
    show_versions(models)
    _meanings()
    chosen, course = st.columns([3, 2], gap="large")
    with course:
        _course(models)
    with chosen:
        numbers = [model.version for model in models]
        version = st.selectbox("Look at", numbers, format_func="Version {}".format, key="version", bind="query-params")
        model = observe(lambda: readings.model_version(url, version))
        if isinstance(model, ApiError):
            show_error(model)
        else:
            show_selected(model, url)


def _meanings() -> None:
    with st.expander("What the figures mean"):
        st.markdown("\n".join(f"- **{plain(metric.short)}**: {plain(metric.help)}" for metric in METRICS))


def _course(models: Sequence[ModelVersion]) -> None:
    with st.container(border=True, key="timeline"):
        st.markdown("#### From version to version")
        metric: Metric = st.selectbox("Figure", METRICS, format_func=lambda metric: metric.short, key="metric")
        st.altair_chart(timeline(models, metric), alt=f"{metric.long} of every version.")
        st.caption(
            f"{plain(metric.help)} Each version was tested on the test houses known at its time, so small differences "
            "between versions may come from the houses; decisions compare two versions on the same houses."
        )
