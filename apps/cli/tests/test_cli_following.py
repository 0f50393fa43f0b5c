"""What is told of a run: the ledger's report, a log's last lines, lines on the terminal."""

import datetime as dt
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appraiser_cli.checks import checks
from appraiser_cli.following import report
from appraiser_cli.following.airflow_api import TaskState
from appraiser_cli.following.run import log_of
from appraiser_cli.home import Home
from appraiser_cli.locks import EXPORTS, check_locks, write_locks
from appraiser_cli.running.display import Display
from appraiser_cli.running.summary import example
from appraiser_cli.running.tail import tail
from appraiser_cli.services import airflow
from appraiser_cli.services.addresses import Addresses
from appraiser_cli.services.credentials import Credentials
from appraiser_schema import Batch, BatchStatus, Decision, DecisionKind, Fetch, FetchOutcome, Outcome
from appraiser_store import Ledger

NOON = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    opened = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    opened.close()


def save(ledger: Ledger, outcome: FetchOutcome, batch_number: int | None, **facts: object) -> None:
    """Record a fetch and, where one came, its batch."""
    if batch_number is not None:
        fields = {
            "source": "x.csv",
            "group_number": 1,
            "day": None,
            "batch_number": batch_number,
            "digest": "0" * 64,
            "size_bytes": 1,
            "received_at": NOON,
            "simulated": False,
            "landing_path": "x.json",
            **facts,
        }
        ledger.save_batch(Batch.model_validate(fields))
    fetch_id = ledger.begin_fetch(NOON)
    ledger.finish_fetch(fetch_id, Fetch(at=NOON, outcome=outcome, batch_number=batch_number, detail="so it was"))


class TestReport:
    """What became of the last batch."""

    def test_nothing_came(self, ledger: Ledger) -> None:
        """An empty ledger has nothing to tell."""
        assert report.last_batch(ledger) is None
        assert not report.was_stopped(ledger)
        assert report.told(ledger, 0) == ()

    def test_rows_and_decision_in_words(self, ledger: Ledger) -> None:
        """A batch's rows are counted, and each decision is told with its reason."""
        save(ledger, FetchOutcome.NEW, 0, status=BatchStatus.CLEANED, rows_received=12_345, rows_quarantined=6)
        ledger.save_decision(
            Decision(
                batch_number=0,
                kind=DecisionKind.TRAINING,
                outcome=Outcome.SKIP,
                summary="Nothing moved.",
                reasons=(),
                decided_at=NOON,
            )
        )
        rows, decision = report.told(ledger, 0)
        assert rows.startswith("12,345 rows received, 6 in quarantine")
        assert decision == "skip: Nothing moved."

    def test_batch_that_goes_on_after_the_end_was_seen(self, ledger: Ledger) -> None:
        """A batch that was interrupted is the one told, whatever the latest question to the source brought."""
        save(ledger, FetchOutcome.NEW, 0)
        save(ledger, FetchOutcome.EXHAUSTED, None)
        assert report.last_batch(ledger) == 0

    def test_stopped_batch_is_told_with_its_reason(self, ledger: Ledger) -> None:
        """A batch that is unfit is a verdict on the data."""
        save(ledger, FetchOutcome.NEW, 0, status=BatchStatus.STOPPED, rows_received=10, stop_reason="9 of 10 rows")
        assert report.was_stopped(ledger)
        assert "stopped: 9 of 10 rows" in report.told(ledger, 0)[0]


class TestTail:
    """The last lines of a log."""

    def test_json_lines_become_words(self, tmp_path: Path) -> None:
        """A task's log is shown as its events and the error behind them."""
        path = tmp_path / "x.log"
        error = {"event": "Task failed", "error_detail": [{"exc_type": "ValueError", "exc_value": "no rows"}]}
        path.write_text("\n".join([json.dumps({"event": "began"}), json.dumps(error), "plain"]))
        assert tail(path) == "    began\n    Task failed\n    ValueError: no rows\n    plain"

    def test_only_the_last_lines(self, tmp_path: Path) -> None:
        """A long log is cut to its end."""
        path = tmp_path / "x.log"
        path.write_text("".join(f"line {n}\n" for n in range(20_000)))
        assert tail(path, lines=2) == "    line 19998\n    line 19999"

    def test_no_log(self, tmp_path: Path) -> None:
        """A log that is not there is empty."""
        assert tail(tmp_path / "none.log") == ""

    def test_log_of_the_latest_attempt(self, home: Home) -> None:
        """The log named is that of the attempt that failed."""
        task = TaskState("train_model", "failed", 1.0, 3)
        path = log_of(home, "dag", "run", task)
        assert path.parts[-4:] == ("dag_id=dag", "run_id=run", "task_id=train_model", "attempt=3.log")


class TestDisplay:
    """Lines that stay."""

    def test_plain_lines_without_a_terminal(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Without a terminal there are only plain lines, without colours and blanks at their ends."""
        with Display() as display:
            display.now("training")
            display.say("batch 0 took 1 s", "bold", indent=2)
            display.now()
        assert capsys.readouterr().out == "  batch 0 took 1 s\n"

    def test_long_lines_are_broken_under_their_indent(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A long reason goes over several lines, each of them indented."""
        Display().say("word " * 60, indent=4)
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) > 1
        assert all(line.startswith("    word") and len(line) <= 100 for line in lines)

    def test_command_is_not_broken(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A command to be copied keeps its lines."""
        Display().say(example(8000), whole=True)
        assert capsys.readouterr().out == example(8000) + "\n"

    def test_terminal_shows_what_goes_on(self) -> None:
        """On a terminal, what goes on now is shown with its seconds."""
        script = (
            "import time\nfrom appraiser_cli.running.display import Display\n"
            "with Display() as display:\n    display.now('training')\n    time.sleep(0.5)\n    display.say('done')\n"
        )
        controller, terminal = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
        with subprocess.Popen(
            [sys.executable, "-c", script], stdout=terminal, stderr=terminal, stdin=terminal, env=environment
        ) as child:
            os.close(terminal)
            shown = b""
            while chunk := _read(controller):
                shown += chunk
            child.wait()
        os.close(controller)
        assert "training … 0 s".encode() in shown
        assert b"done" in shown


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 4096)
    except OSError:
        # Linux says so when the other side of a terminal is closed.
        return b""


class TestAirflow:
    """How Airflow is set up."""

    def test_credentials_stay_and_are_private(self, home: Home) -> None:
        """Keys and password are made once, and only their owner can read them."""
        made = Credentials.load_or_make(home)
        airflow.write_passwords(home, made)
        assert Credentials.load_or_make(home) == made
        for name in ("credentials.json", "passwords.json"):
            assert (home.airflow / name).stat().st_mode & 0o777 == 0o600

    def test_nothing_listens_beyond_the_loopback(self, home: Home) -> None:
        """The API server binds the loopback address, and the scheduler serves no logs."""
        places = Addresses.choose(lambda _: 0)
        variables = airflow.settings(home, places, Credentials.load_or_make(home))
        assert variables["AIRFLOW__API__HOST"] == "127.0.0.1"
        _, scheduler, _ = airflow.processes(places, variables)
        assert "--skip-serve-logs" in scheduler.command

    def test_migration_is_remembered(self, home: Home) -> None:
        """The database is migrated once per version of Airflow."""
        home.make()
        assert airflow.needs_migration(home)
        (home.airflow / "airflow.db").touch()
        airflow.note_migration(home)
        assert not airflow.needs_migration(home)


class TestLocks:
    """The exports for the images."""

    def test_missing_changed_and_superfluous_exports_are_stale(self, tmp_path: Path) -> None:
        """An export is stale when it is missing, was changed, or belongs to no image."""
        write_locks(tmp_path)
        assert check_locks(tmp_path) == []
        (tmp_path / "feed.txt").unlink()
        (tmp_path / "api.txt").write_text("fastapi==0.1\n")
        (tmp_path / "other.txt").write_text("")
        assert check_locks(tmp_path) == ["api", "feed", "other"]
        assert sorted(path.stem for path in write_locks(tmp_path)) == ["api", "feed"]

    def test_exports_name_no_index(self, tmp_path: Path) -> None:
        """Every requirement is exact and hashed; no line holds an address or an option."""
        write_locks(tmp_path)
        for name in EXPORTS:
            lines = (tmp_path / f"{name}.txt").read_text().splitlines()
            assert lines
            assert all("://" not in line and not line.startswith("-") for line in lines)
            assert all(line.startswith("    --hash=sha256:") or "==" in line for line in lines)


class TestChecks:
    """`appraiser test`."""

    def test_pytest_comes_last_with_its_arguments(self) -> None:
        """Pytest's closing lines are the last, and what the command does not know goes to pytest."""
        last = checks(["-k", "feed"], quick=True)[-1]
        assert last.name == "pytest"
        assert last.command[-2:] == ("-k", "feed")
        assert "not end_to_end" in last.command[-3]
