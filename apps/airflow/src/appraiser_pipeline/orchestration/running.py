"""How a task runs a step: under the settings of its run, with a line in its log that names the batch and the rows."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog
from airflow.sdk import get_current_context

if TYPE_CHECKING:
    from appraiser_pipeline.context import Context
    from appraiser_pipeline.settings import Settings

log = structlog.get_logger()


def settings_of_run() -> "Settings":
    """The configured settings under the parameters that this run was given; a DAG may have none of them.

    Raises:
        PolicyError: There is no such threshold, or the value breaks its rule.
    """
    from appraiser_pipeline.changed_policy import changed  # noqa: PLC0415 - DAG files import this module
    from appraiser_pipeline.settings import Settings  # noqa: PLC0415 - as above

    asked = get_current_context()["params"]
    settings = changed(Settings(), asked.get("policy") or {}, dry_run=bool(asked.get("dry_run")))
    update: dict[str, Any] = {}
    if asked.get("tuning_trials") is not None:
        update["tuning_trials"] = asked["tuning_trials"]
    if asked.get("retrain_reason"):
        update["retrain_reason"] = asked["retrain_reason"]
    return settings.model_copy(update=update)


@contextmanager
def opened() -> Iterator["Context"]:
    """The stores and the source under the settings of this run."""
    from appraiser_pipeline.context import Context  # noqa: PLC0415 - as above

    context = Context(settings_of_run())
    try:
        yield context
    finally:
        context.close()


def run_step(name: str, batch_number: int | None = None, **options: Any) -> Any:
    """Run a step of the pipeline; every line of its log names the batch, and the last one says what came of it.

    Args:
        name: Of the step.
        batch_number: Of which batch; None for the fetch.
        options: Of the step.
    """
    from appraiser_pipeline.run import Step, call, in_words  # noqa: PLC0415 - as above

    step, start = Step(name), time.perf_counter()
    # Not `batch`: the steps' own lines have that already.
    with structlog.contextvars.bound_contextvars(step=name, batch_number=batch_number), opened() as context:
        result = call(step, context, batch_number, **options)
        log.info("step_done", summary=in_words(step, result), seconds=round(time.perf_counter() - start, 1))
    return result
