"""What Airflow gets beside the steps: retries with reasons, alerts, links, and the wait for the feed."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from appraiser_model import RegistryUnreachableError, TrainingError
from appraiser_pipeline.errors import (
    LostBatchError,
    OrderError,
    PolicyError,
    SourceAwayError,
    SourceError,
    StoppedBatchError,
)


@pytest.fixture(scope="module", autouse=True)
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Airflow writes its configuration where it is told to, before it is imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        yield


@contextmanager
def server(answer: Callable[[str, bytes], int], port: int = 0) -> Iterator[str]:
    """A server on a port of its own; `answer` gets path and body, and gives the status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(answer(self.path, body))
            self.send_header("content-length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - as the server calls it

        def log_message(self, *_: Any) -> None:
            pass

    found = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{found.server_address[1]}"
    finally:
        found.shutdown()
        thread.join()
        found.server_close()


class TestRetries:
    """Which failure is tried again."""

    @pytest.mark.parametrize(
        "error",
        [
            StoppedBatchError(3, "it has no rows"),
            PolicyError("x", 1, "unknown"),
            OrderError("evaluate", 3, "model", "train_model"),
            TrainingError("there are 3 listings"),
        ],
    )
    def test_final(self, error: Exception) -> None:
        """What would fail the same way fails at once, and it is said why."""
        from airflow.sdk import RetryAction

        from appraiser_pipeline.orchestration.retries import StepRetries

        decision = StepRetries().evaluate(error, 1, 2)
        assert decision.action is RetryAction.FAIL
        assert (decision.reason or "").startswith("not tried again: ")

    def test_store_away(self) -> None:
        """A store that is away is waited for, the second time longer."""
        from airflow.sdk import RetryAction

        from appraiser_pipeline.orchestration.retries import StepRetries

        decisions = [StepRetries().evaluate(RegistryUnreachableError("http://x", "gone"), n, 2) for n in (1, 2)]
        assert [d.action for d in decisions] == [RetryAction.RETRY] * 2
        assert [d.retry_delay.total_seconds() for d in decisions if d.retry_delay] == [10, 60]
        assert "RegistryUnreachableError: a store that is away comes back" in (decisions[0].reason or "")

    @pytest.mark.parametrize(
        ("error", "action"),
        [
            (SourceAwayError("http://x", "does not answer"), "retry"),
            (LostBatchError("http://x", "timeout"), "fail"),
            (SourceError("http://x", "did not restart"), "fail"),
            (OSError("no room"), "fail"),
        ],
    )
    def test_fetch(self, error: Exception, action: str) -> None:
        """The fetch is tried again only where the source was not asked for a batch: that moves its cursor."""
        from appraiser_pipeline.orchestration.retries import FetchRetries

        assert FetchRetries().evaluate(error, 1, 2).action.value == action

    def test_names(self) -> None:
        """Every error that is told by name is one that there is."""
        from airflow.sdk.module_loading import import_string

        from appraiser_pipeline.orchestration import retries

        for name in (*retries._FINAL, retries._NOT_ASKED):
            assert issubclass(import_string(name), Exception)


def failed(**changed: Any) -> Any:
    """The context of a task that has failed."""
    instance = SimpleNamespace(
        dag_id="house_price_pipeline", task_id="validate", run_id="manual__1", try_number=1, log_url="http://x/log"
    )
    return {"ti": instance, "exception": StoppedBatchError(3, "it has no rows"), **changed}


class TestAlert:
    """Who is told of a failure."""

    def test_webhook(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The webhook gets one sentence and the same as fields, the log too, and Airflow's metrics count it."""
        from appraiser_pipeline.orchestration import alert

        received: list[tuple[str, dict[str, Any]]] = []

        def take(path: str, body: bytes) -> int:
            received.append((path, json.loads(body)))
            return 200

        counted: list[tuple[str, dict[str, str]]] = []
        monkeypatch.setattr(alert.stats, "incr", lambda name, tags: counted.append((name, tags)))
        with server(take) as url, capture_logs() as logs:
            monkeypatch.setenv("APPRAISER_ALERT_WEBHOOK", f"{url}/secret")
            alert.Alert()(failed())
        [(path, told)] = received
        assert path == "/secret"
        words = "house_price_pipeline.validate failed at try 1 of run manual__1: StoppedBatchError: batch 3 was stopped"
        assert told["text"].startswith(words)
        assert (told["dag_id"], told["task_id"], told["log_url"]) == (
            "house_price_pipeline",
            "validate",
            "http://x/log",
        )
        assert [entry["event"] for entry in logs] == ["alert"]
        assert counted == [("appraiser.alert", {"dag_id": "house_price_pipeline", "task_id": "validate"})]

    def test_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A webhook that refuses is a line in the log, without its address, and no second failure."""
        from appraiser_pipeline.orchestration.alert import Alert

        with server(lambda *_: 403) as url, capture_logs() as logs:
            monkeypatch.setenv("APPRAISER_ALERT_WEBHOOK", f"{url}/secret")
            Alert()(failed())
        monkeypatch.setenv("APPRAISER_ALERT_WEBHOOK", f"{url}/secret")
        with capture_logs() as later:
            Alert()(failed())
        assert [entry["error"] for entry in (logs[-1], later[-1])] == [
            "the webhook answers 403",
            "the webhook does not answer: ConnectError",
        ]
        assert "secret" not in str([*logs, *later])

    def test_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a webhook, or with one that is no address, the log is told all the same; also of a killed task."""
        from appraiser_pipeline.orchestration.alert import Alert

        for value in ("", "no address"):
            monkeypatch.setenv("APPRAISER_ALERT_WEBHOOK", value)
            with capture_logs() as logs:
                Alert()(failed(exception=None))
            assert logs[0]["text"].endswith("the task ended without a word")


class TestLinks:
    """Where the links of a task lead."""

    @pytest.fixture
    def instance(self) -> Any:
        """A task of a run that took batch 4 and made version 7."""
        told = {("fetch_batch", None): 4, ("train_model", "model"): {"version": 7, "run_id": "abc"}}
        return SimpleNamespace(xcom_pull=lambda task_ids, key=None: told.get((task_ids, key)))

    @pytest.mark.parametrize(
        ("variables", "expected"),
        [
            (
                {"MLFLOW_TRACKING_URI": "http://m:5000", "APPRAISER_API_URL": "http://a:8000"},
                ["http://m:5000/#/runs/abc", "http://a:8000/models/7", "http://a:8000/batches/4"],
            ),
            (
                {"MLFLOW_TRACKING_URI": "http://m", "APPRAISER_MLFLOW_URL": "https://people/mlflow"},
                ["https://people/mlflow/#/runs/abc", "", ""],
            ),
            ({"MLFLOW_TRACKING_URI": "sqlite:///x.db", "APPRAISER_API_URL": ""}, ["", "", ""]),
        ],
    )
    def test_addresses(
        self, instance: Any, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: list[str]
    ) -> None:
        """They lead to the run, the version and the batch, under the addresses that people have; else nowhere."""
        from appraiser_pipeline.orchestration import links

        for name in ("MLFLOW_TRACKING_URI", "APPRAISER_MLFLOW_URL", "APPRAISER_API_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        found = (links.RunLink(), links.ModelLink(), links.BatchLink())
        assert [link.get_link(None, ti_key=instance) for link in found] == expected

    def test_nothing_made(self) -> None:
        """A run without a batch or a model has no links."""
        from appraiser_pipeline.orchestration import links

        instance = SimpleNamespace(xcom_pull=lambda **_: None)
        found = (links.RunLink(), links.ModelLink(), links.BatchLink())
        assert [link.get_link(None, ti_key=instance) for link in found] == ["", "", ""]


class TestFeedTrigger:
    """The wait for the listing API."""

    def test_waits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It asks who is there until somebody answers well, never for a batch, and ends the task without a worker."""
        from airflow.triggers.base import TaskSuccessEvent

        from appraiser_pipeline.orchestration.feed import FeedTrigger

        asked: list[str] = []

        def answer(path: str, _: bytes) -> int:
            asked.append(path)
            return 200 if len(asked) > 2 else 503

        with server(answer) as url:
            monkeypatch.setenv("APPRAISER_FEED_URL", url)
            events = asyncio.run(_all(FeedTrigger(0.01)))
        assert [type(event) for event in events] == [TaskSuccessEvent]
        assert asked == ["/", "/", "/"]

    def test_nobody_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It goes on waiting where nobody listens."""
        from appraiser_pipeline.orchestration.feed import FeedTrigger

        with server(lambda *_: 200) as url:
            pass
        monkeypatch.setenv("APPRAISER_FEED_URL", url)
        with pytest.raises(TimeoutError):
            asyncio.run(asyncio.wait_for(_all(FeedTrigger(0.01)), 0.3))

    def test_kept(self) -> None:
        """What Airflow keeps of it makes it again."""
        from airflow.sdk.module_loading import import_string

        from appraiser_pipeline.orchestration.feed import FeedTrigger, WaitForFeed

        name, given = FeedTrigger(5.0).serialize()
        assert import_string(name)(**given).interval_seconds == 5.0
        assert WaitForFeed.start_trigger_args.trigger_cls == name


async def _all(trigger: Any) -> list[Any]:
    return [event async for event in trigger.run()]
