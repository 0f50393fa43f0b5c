"""The process that tables are worked on in: what it takes from others, and what its end costs."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from api_process import api_process, keep_champion
from running_api import metric, price, serves, wait_for
from starlette.testclient import TestClient
from tiny_champion import promote

from appraiser_api.batch.errors import BatchBodyError, BatchModelError, BatchShapeError, BatchStoppedError
from appraiser_api.batch.kinds import Kind
from appraiser_api.batch.process import TableProcess
from appraiser_api.batch.wire import Refusal, Setup
from appraiser_api.errors import ApiError, LogFullError
from appraiser_api.main import create_app
from appraiser_api.metrics import Metrics
from appraiser_api.prediction_log import LogMetrics
from appraiser_api.prediction_log.position import read_position
from appraiser_api.prediction_log.reading import backlog_bytes
from appraiser_api.processes import children
from appraiser_api.settings import Settings
from appraiser_model import Bundle, Registry
from appraiser_schema import example_listing

HOUSE = json.dumps(example_listing()).encode() + b"\n"
LARGE = 60_000
"""Houses that take a second or more."""


@pytest.fixture
def api(running: TestClient) -> TestClient:
    """A client of a running application whose table process runs, and has nothing left to ship."""
    assert ask(running, 3).status_code == 200
    wait_for(lambda: recorded(settings_of(running)) == 0)
    return running


def settings_of(client: TestClient) -> Settings:
    """The settings of its application."""
    settings: Settings = client.app.state.services.settings  # type: ignore[attr-defined]
    return settings


def tables_in(client: TestClient) -> TableProcess:
    """What its application has tables worked on in."""
    tables: TableProcess = client.app.state.services.table_process  # type: ignore[attr-defined]
    return tables


def ask(client: Any, houses: int) -> Any:
    """Send houses."""
    return client.post("/predict/batch", content=HOUSE * houses, headers={"Content-Type": Kind.LINES.value})


def table_process() -> int:
    """Its process id."""
    (pid,) = tables_of(os.getpid())
    return pid


def tables_of(pid: int) -> list[int]:
    """Of a process that serves, those in which it has tables worked on."""
    return [child for child in children(pid) if b"appraiser_api.batch" in command(child)]


def command(pid: int) -> bytes:
    """How a process was started; empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def kept(settings: Settings) -> int:
    """Appraisals in the ledger."""
    with sqlite3.connect(settings.ledger_url.removeprefix("sqlite:///")) as ledger:
        found: int = ledger.execute("SELECT count(*) FROM predictions").fetchone()[0]
    ledger.close()
    return found


class TestLife:
    """From the first table to the end of the service."""

    def test_from_the_first_table_to_the_end(self, api: TestClient) -> None:
        """It is started with the first table, works on those after it, and ends with everything in the ledger."""
        tables_in(api).stop()
        assert tables_of(os.getpid()) == []
        before = kept(settings_of(api))
        assert ask(api, 2).status_code == 200
        first = table_process()
        assert ask(api, 3).status_code == 200
        assert table_process() == first
        tables_in(api).stop()
        assert tables_of(os.getpid()) == []
        assert kept(settings_of(api)) == before + 5
        # Only the service's own log is there.
        assert len(list(settings_of(api).prediction_log.glob("*-*"))) == 1

    @pytest.mark.skipif(sys.platform != "linux", reason="other systems have priorities of another kind")
    def test_stands_back(self, api: TestClient) -> None:
        """Every thread of it comes after those of single houses."""
        assert api.get("/health/live").status_code == 200
        threads = Path(f"/proc/{table_process()}/task").iterdir()
        assert {os.getpriority(os.PRIO_PROCESS, int(thread.name)) for thread in threads} == {15}

    def test_counts(self, api: TestClient) -> None:
        """What its log counts is counted, and its memory is the service's."""
        before = metric(api, "appraiser_predictions_shipped_total")
        assert ask(api, 3).status_code == 200
        wait_for(lambda: metric(api, "appraiser_predictions_shipped_total") == before + 3)
        wait_for(lambda: metric(api, "appraiser_prediction_backlog_records") == 0)
        own = Path("/proc/self/statm").read_text().split()[1]
        assert metric(api, "process_resident_memory_bytes") > int(own) * os.sysconf("SC_PAGE_SIZE") + 50e6

    def test_a_champion_that_changes(
        self, serving: TestClient, registry: Registry, bundles: tuple[Bundle, Bundle]
    ) -> None:
        """The next table is answered by the new champion, with its prices."""
        before = ask(serving, 1)
        promote(registry, registry.register(bundles[1]))
        wait_for(lambda: serves(serving) == 2)
        after = ask(serving, 1)
        assert [one.headers["x-appraiser-model"] for one in (before, after)] == ["house-price/1", "house-price/2"]
        assert before.json()["price_usd"] != after.json()["price_usd"]
        assert after.json()["price_usd"] == pytest.approx(price(serving))

    def test_a_client_that_leaves(self, api: TestClient) -> None:
        """Who hangs up in the middle leaves no file open, and no place taken."""
        tables = api.app.state.services.tables  # type: ignore[attr-defined]
        files = Path(f"/proc/{table_process()}/fd")
        before = len(list(files.iterdir()))
        with api.stream("POST", "/predict/batch", content=HOUSE * LARGE) as response:
            next(response.iter_raw())
        wait_for(lambda: tables.borrowed_tokens == 0)
        wait_for(lambda: len(list(files.iterdir())) <= before)
        assert ask(api, 1).status_code == 200

    def test_clients_that_leave_before_the_answer(self, tmp_path: Path, registry: Registry, settings: Settings) -> None:
        """Who hangs up while the first rows are worked on takes no place for ever: there are eight."""
        wait_for(lambda: registry.champion() == 1)
        body = HOUSE * 1_000
        head = f"POST /predict/batch HTTP/1.1\r\nhost: x\r\ncontent-type: {Kind.LINES}\r\ncontent-length: {len(body)}"
        with api_process(tmp_path, settings.tracking_uri, {}) as api:
            assert ask(api, 1).status_code == 200
            for _ in range(settings.batch_waiting + 2):
                with socket.create_connection(("127.0.0.1", api.port)) as connection:
                    connection.sendall(f"{head}\r\n\r\n".encode() + body)
            wait_for(lambda: ask(api, 1).status_code == 200)
            assert "table_failed" not in api.log.read_text()


class TestDeath:
    """It is killed, as the system does where memory is short."""

    def test_while_nothing_is_asked(self, api: TestClient) -> None:
        """The next table starts another."""
        first, deaths = table_process(), metric(api, "appraiser_table_process_deaths_total")
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: first not in children(os.getpid()))
        assert ask(api, 3).status_code == 200
        assert table_process() != first
        assert metric(api, "appraiser_table_process_deaths_total") == deaths + 1

    def test_in_the_middle(self, api: TestClient) -> None:
        """The table is refused or broken off, houses are answered, and what was on record reaches the ledger."""
        found: list[Any] = []
        settings = settings_of(api)
        before = kept(settings)

        def ask_much() -> None:
            try:
                found.append(ask(api, LARGE).status_code)
            except RuntimeError as error:
                # The answer had begun: the client of a server sees a connection that breaks off.
                found.append(error.__cause__)

        asking = threading.Thread(target=ask_much)
        asking.start()
        wait_for(lambda: recorded(settings) > 100_000)
        os.kill(table_process(), signal.SIGKILL)
        asking.join()
        assert found == [503] or isinstance(found[0], BatchStoppedError)
        assert price(api) > 0
        # Its log is taken over, and deleted once all of it was shipped; that of the service stays.
        wait_for(lambda: len(list(settings.prediction_log.glob("*-*"))) == 1)
        assert kept(settings) > before + 1_000
        assert not list(settings.prediction_log.glob("damaged/*"))
        assert ask(api, 3).status_code == 200

    def test_half_a_note(self, settings: Settings, metrics: Metrics, log_metrics: LogMetrics) -> None:
        """What it told before it was killed counts, though it was killed in the middle of a note."""
        tables = TableProcess(Setup.of(settings), metrics, log_metrics)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(b'{"shipped": 2}\n{"waiting": [7, 7')
            theirs.close()
            with subprocess.Popen([sys.executable, "-c", "exit(3)"]) as process:
                tables._watch(process, ours)
        assert metrics.registry.get_sample_value("appraiser_predictions_shipped_total") == 2
        assert metrics.registry.get_sample_value("appraiser_prediction_backlog_records") == 0
        assert metrics.registry.get_sample_value("appraiser_table_process_deaths_total") == 1

    def test_none_can_be_started(self, api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the system gives no process, the table is refused with what to do, and the next one is tried."""
        tables_in(api).stop()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", "/nowhere/python")
            response = ask(api, 1)
            assert response.status_code == 503
            assert response.json()["type"] == "urn:appraiser:problem:table-stopped"
            assert "memory" in response.json()["detail"]
        assert ask(api, 1).status_code == 200

    def test_with_its_parent(self, tmp_path: Path, registry: Registry, bundles: tuple[Bundle, Bundle]) -> None:
        """A service that is killed leaves no process behind, and nothing that was answered stays out of the ledger."""
        keep_champion(bundles[0], registry.version(1), tmp_path / "models")
        with api_process(tmp_path, registry.tracking_uri, {}) as api:
            assert ask(api, 1_000).status_code == 200
            (pid,) = tables_of(api.process.pid)
            api.process.kill()
            api.process.wait()
            wait_for(lambda: not command(pid))
        settings = Settings(ledger_url=f"sqlite:///{tmp_path / 'ledger.db'}")
        assert kept(settings) == 1_000

    @pytest.mark.parametrize("said", [b"", b"J\0\0", b"J\0\0\0\x09{"])
    def test_who_leaves_before_the_job(self, api: TestClient, said: bytes, capfd: pytest.CaptureFixture[str]) -> None:
        """A socket that ends before the job was said is let go without a word, and the next table is answered."""
        # Another one, whose errors are read here.
        tables_in(api).stop()
        with tempfile.TemporaryFile() as file, tables_in(api).hand_over(file) as connection:
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
        assert ask(api, 3).status_code == 200
        tables_in(api).stop()
        assert "Traceback" not in capfd.readouterr().err

    def test_signals_for_all(self, api: TestClient) -> None:
        """A signal that a terminal or a service manager sends to every process is its parent's affair."""
        pid = table_process()
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(pid, number)
        time.sleep(0.1)
        assert ask(api, 3).status_code == 200
        assert table_process() == pid


class TestRefusals:
    """What it refuses, and what goes wrong in it."""

    @pytest.mark.parametrize(
        "error",
        [
            BatchShapeError("must have a column 'state'", "city"),
            BatchBodyError("text/csv", "cannot be read", b"\xff"),
            BatchModelError(7),
            LogFullError("No space left on device"),
        ],
    )
    def test_is_the_same_on_the_other_side(self, error: ApiError) -> None:
        """An error that comes over is answered as if it had been raised here."""
        there = Refusal.model_validate_json(Refusal.of(error).model_dump_json()).raised()
        assert type(there) is type(error)
        assert str(there) == str(error)
        for name in ("status", "kind", "title", "errors", "retry_after", "headers"):
            assert getattr(there, name) == getattr(error, name), name

    def test_a_mistake_is_no_answer(self) -> None:
        """Of a mistake only its type comes over: its message can hold a house."""
        there = Refusal.model_validate_json(Refusal.of(KeyError("12 Elm Street")).model_dump_json()).raised()
        assert not isinstance(there, ApiError)
        assert "KeyError" in str(there)
        assert "Elm" not in str(there)

    def test_a_model_that_has_gone(self, api: TestClient) -> None:
        """Where the cache was deleted under the service, tables are refused with what to do; houses are answered."""
        tables_in(api).stop()
        cache = settings_of(api).model_cache
        aside = cache.rename(cache.with_name("aside"))
        response = ask(api, 1)
        aside.rename(cache)
        assert response.status_code == 503
        assert response.json()["type"] == "urn:appraiser:problem:table-model"
        assert "APPRAISER_MODEL_CACHE" in response.json()["detail"]
        assert price(api) > 0
        assert ask(api, 1).status_code == 200

    def test_a_log_that_cannot_be_written(self, settings: Settings, registry: Registry) -> None:
        """What cannot be put on record is not answered, and it is counted."""
        assert registry.champion() == 1
        settings.prediction_log.write_text("in the way")
        with TestClient(create_app(settings)) as client:
            wait_for(lambda: serves(client) == 1)
            response = ask(client, 1)
            assert response.status_code == 503
            assert response.json()["type"] == "urn:appraiser:problem:log-full"
            # Two that cannot be opened, and one record that cannot be written.
            wait_for(lambda: metric(client, 'appraiser_prediction_log_failures_total{reason="append"}') == 3)


def recorded(settings: Settings) -> int:
    """Bytes that tables have on record and the ledger has not yet."""
    total = 0
    for folder in settings.prediction_log.glob("*-*"):
        with suppress(FileNotFoundError):
            total += backlog_bytes(folder, read_position(folder), None)
    return total
