"""Airflow's REST API: as much of it as starting and following runs needs."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx

from appraiser_cli.errors import PipelineError
from appraiser_cli.services.credentials import Credentials

_PATIENCE: Final = timedelta(seconds=60)
"""How long an API server that is too busy to answer is asked again."""

_PAUSE: Final = timedelta(seconds=0.5)
"""Before it is asked again."""

FINISHED: Final = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})


@dataclass(frozen=True, slots=True)
class TaskState:
    """How far one task of a run is.

    Attributes:
        state: Airflow's word, such as 'running'; None before it is scheduled.
        seconds: How long it ran; None until it ended.
        attempt: From 1; 0 before the first.
    """

    name: str
    state: str | None
    seconds: float | None
    attempt: int


class AirflowApi:
    """A client of one Airflow.

    Raises:
        PipelineError: Airflow refuses, or does not answer for a minute.
    """

    def __init__(self, url: str, dag_id: str, credentials: Credentials) -> None:
        self._http = httpx.Client(base_url=url, timeout=10.0, trust_env=False)
        self._dag = f"/api/v2/dags/{dag_id}"
        self._credentials = credentials

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def is_parsed(self) -> bool:
        """Whether Airflow has read the DAG; a paused one is woken."""
        answer = self._ask("GET", self._dag, accept=frozenset({404}))
        if answer.get("is_paused"):
            self._ask("PATCH", self._dag, json={"is_paused": False})
        return "dag_id" in answer

    def import_errors(self) -> list[str]:
        """What kept Airflow from reading DAG files."""
        answer = self._ask("GET", "/api/v2/importErrors")
        return [str(error["stack_trace"]) for error in answer["import_errors"]]

    def trigger(self) -> str:
        """Start a run.

        Returns:
            Its id.
        """
        return str(self._ask("POST", f"{self._dag}/dagRuns", json={"logical_date": None})["dag_run_id"])

    def active_runs(self) -> list[str]:
        """Ids of the runs that wait or go on, oldest first."""
        query = {"state": ["running", "queued"], "order_by": "run_after", "limit": 100}
        answer = self._ask("GET", f"{self._dag}/dagRuns", params=query)
        return [str(run["dag_run_id"]) for run in answer["dag_runs"]]

    def run_state(self, run_id: str) -> str:
        """Airflow's word for how a run is, such as 'success'."""
        return str(self._ask("GET", f"{self._dag}/dagRuns/{run_id}")["state"])

    def tasks(self, run_id: str) -> list[TaskState]:
        """The tasks of a run, in the order in which they started; those that did not come last."""
        answer = self._ask("GET", f"{self._dag}/dagRuns/{run_id}/taskInstances")
        found = sorted(answer["task_instances"], key=lambda task: task["start_date"] or "~")
        return [
            TaskState(task["task_id"], task["state"], task["duration"], int(task["try_number"] or 0)) for task in found
        ]

    def _ask(self, method: str, path: str, *, accept: frozenset[int] = frozenset(), **request: Any) -> Any:
        deadline = time.monotonic() + _PATIENCE.total_seconds()
        may_log_in_again = "Authorization" in self._http.headers
        while True:
            # A trigger that got no good answer may have been taken: asking again would start a second run.
            may_wait = method != "POST" and time.monotonic() < deadline
            try:
                answer = self._log_in() or self._http.request(method, path, **request)
            except httpx.TransportError as error:
                if not may_wait:
                    raise PipelineError(None, f"Airflow does not answer: {type(error).__name__} {error}.") from error
                time.sleep(_PAUSE.total_seconds())
                continue
            if answer.is_success or answer.status_code in accept:
                return answer.json()
            if answer.status_code == httpx.codes.UNAUTHORIZED and may_log_in_again:
                may_log_in_again = False
                del self._http.headers["Authorization"]
            elif answer.is_server_error and may_wait:
                time.sleep(_PAUSE.total_seconds())
            else:
                raise PipelineError(
                    None, f"Airflow refuses {method} {path} with {answer.status_code}: {answer.text[:300]}."
                )

    def _log_in(self) -> httpx.Response | None:
        """Log in where that is needed; the answer only where the server failed."""
        if "Authorization" in self._http.headers:
            return None
        login = {"username": self._credentials.user, "password": self._credentials.password}
        answer = self._http.post("/auth/token", json=login)
        if answer.is_server_error:
            return answer
        if not answer.is_success:
            raise PipelineError(None, f"Airflow refuses the login of {self._credentials.user!r}: {answer.text}.")
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return None
