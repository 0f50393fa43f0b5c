"""Follows one run of the pipeline from step to step."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from appraiser_cli.errors import PipelineError
from appraiser_cli.following.airflow_api import FINISHED, AirflowApi, TaskState
from appraiser_cli.home import Home
from appraiser_cli.running.tail import tail

POLL: Final = timedelta(seconds=0.4)
"""Between two looks at a run; a look costs the API server about 30 ms."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What one look at a run showed.

    Attributes:
        current: The step that runs now, if one does.
        ended: Steps that ended since the last look.
        finished: Whether the run is over.
    """

    current: TaskState | None
    ended: tuple[TaskState, ...]
    finished: bool


def follow(api: AirflowApi, run_id: str, home: Home, dag_id: str) -> Iterator[Progress]:
    """Look at a run until it is over.

    Raises:
        PipelineError: The run failed; with the step, the last lines of its log, and where that lies.
    """
    told: set[tuple[str, int]] = set()
    while True:
        state = api.run_state(run_id)
        tasks = api.tasks(run_id)
        ended = tuple(task for task in tasks if _is_over(task) and (task.name, task.attempt) not in told)
        told |= {(task.name, task.attempt) for task in ended}
        current = next((task for task in tasks if task.state == "running"), None)
        yield Progress(current, tuple(task for task in ended if task.state != "skipped"), state in FINISHED)
        if state == "success":
            return
        if state == "failed":
            raise _failure(tasks, run_id, home, dag_id)
        time.sleep(POLL.total_seconds())


def log_of(home: Home, dag_id: str, run_id: str, task: TaskState) -> Path:
    """Where Airflow writes the log of a task's latest attempt."""
    folder = home.airflow / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task.name}"
    return folder / f"attempt={max(task.attempt, 1)}.log"


def _is_over(task: TaskState) -> bool:
    return task.state in FINISHED or task.state == "up_for_retry"


def _failure(tasks: list[TaskState], run_id: str, home: Home, dag_id: str) -> PipelineError:
    failed = next((task for task in tasks if task.state == "failed"), None)
    if failed is None:
        return PipelineError(None, f"the run {run_id} failed without a failed step; see Airflow's page of the run.")
    log = log_of(home, dag_id, run_id, failed)
    return PipelineError(failed.name, f"in run {run_id}, after attempt {failed.attempt}.", tail(log), log)
