"""Starting, finding and ending real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from appraiser_cli.dev import develop
from appraiser_cli.down import end_system
from appraiser_cli.errors import OwnedError, ServiceError
from appraiser_cli.home import Home
from appraiser_cli.running import records
from appraiser_cli.running.ending import end, family
from appraiser_cli.running.interrupt import Interrupted, interruptible
from appraiser_cli.running.ports import free_port
from appraiser_cli.running.records import UP, ProcessRecord
from appraiser_cli.running.service import Service
from appraiser_cli.running.supervisor import Supervisor
from appraiser_cli.settings import Settings
from appraiser_cli.status import services
from appraiser_cli.up import Wish, run

type Command = Callable[..., tuple[str, ...]]
type Start = Callable[[tuple[str, ...]], subprocess.Popen[bytes]]


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def until_ready(supervisor: Supervisor) -> None:
    """Wait until every service is ready."""

    def ready() -> bool:
        supervisor.check()
        return not supervisor.waiting()

    until(ready)


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


class TestSupervisor:
    """Services from their start to their end."""

    def test_service_gets_ready_and_ends_with_its_children(self, home: Home, server_command: Command) -> None:
        """Leaving the context ends a service and its children, and forgets it."""
        port = free_port(0)
        with Supervisor(home) as supervisor:
            supervisor.start(Service("small", server_command(port, 2), port=port, health="/health"))
            until_ready(supervisor)
            members = family(supervisor.started["small"].entry)
            assert len(members) == 3
            assert "small" in records.load(home.run)
        assert all(is_gone(member.pid) for member in members)
        assert records.load(home.run) == {}

    def test_output_goes_to_the_log(self, home: Home, server_command: Command) -> None:
        """What a service writes lies in its log."""
        port = free_port(0)
        with Supervisor(home) as supervisor:
            supervisor.start(Service("small", server_command(port), port=port, health="/"))
            until_ready(supervisor)
            assert "listening" in supervisor.log("small").read_text()

    def test_service_that_ends_early_is_an_error_with_its_last_lines(self, home: Home) -> None:
        """A service that ends before it is ready is named, with its exit code and what it said."""
        command = (sys.executable, "-c", "import sys; print('no such thing'); sys.exit(3)")
        with Supervisor(home) as supervisor:
            supervisor.start(Service("broken", command, port=free_port(0), health="/"))
            with pytest.raises(ServiceError, match=r"(?s)broken ended with exit code 3.*no such thing"):
                until_ready(supervisor)

    def test_service_that_never_answers_is_an_error(self, home: Home) -> None:
        """A service that is not ready in time is named."""
        command = (sys.executable, "-c", "import time; time.sleep(60)")
        service = Service("slow", command, port=free_port(0), health="/", patience=timedelta(seconds=0.2))
        with Supervisor(home) as supervisor:
            supervisor.start(service)
            with pytest.raises(ServiceError, match="slow was not ready"):
                until_ready(supervisor)

    def test_part_of_the_answer_decides(self, home: Home, server_command: Command) -> None:
        """Where a part is named, 200 alone is not enough."""
        port = free_port(0)
        with Supervisor(home) as supervisor:
            supervisor.start(Service("good", server_command(port), port=port, health="/", part="good"))
            supervisor.start(
                Service(
                    "other",
                    (sys.executable, "-c", "import time; time.sleep(60)"),
                    health=f"http://127.0.0.1:{port}/",
                    part="bad",
                )
            )
            until(lambda: bool(supervisor.check()))
            assert supervisor.is_ready("good")
            assert not supervisor.is_ready("other")

    def test_work_that_ends_well_is_ready(self, home: Home) -> None:
        """A service that does its work once is ready when it has ended, and is no loss."""
        with Supervisor(home) as supervisor:
            supervisor.start(Service("work", (sys.executable, "-c", ""), once=True))
            until_ready(supervisor)
            assert supervisor.ended() == []
            assert records.load(home.run) == {}

    def test_service_that_dies_later_is_told(self, home: Home, server_command: Command) -> None:
        """A service that ends after it was ready is reported, not hidden."""
        port = free_port(0)
        with Supervisor(home) as supervisor:
            supervisor.start(Service("small", server_command(port), port=port, health="/"))
            until_ready(supervisor)
            supervisor.started["small"].process.kill()
            until(lambda: not supervisor.check() and bool(supervisor.ended()))
            assert [started.service.name for started in supervisor.ended()] == ["small"]

    def test_death_of_a_needed_service_is_an_error(self, home: Home, server_command: Command) -> None:
        """A service without which nothing can go on is named with its exit code and its log."""
        port = free_port(0)
        with Supervisor(home) as supervisor:
            supervisor.start(Service("small", server_command(port), port=port, health="/"))
            until_ready(supervisor)
            supervisor.need("small")
            process = supervisor.started["small"].process
            process.kill()
            process.wait()
            supervisor.need("other")
            with pytest.raises(ServiceError, match=r"(?s)small has ended by itself with exit code -9.*small\.log"):
                supervisor.need("small")


class TestInterrupt:
    """Signals that ask the command to end."""

    def test_signal_at_the_start_of_a_service_leaves_no_orphan(
        self, home: Home, server_command: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A signal between the start of a process and its record ends the command, and the process with it."""

        def interrupted_save(folder: Path, entry: ProcessRecord) -> None:
            signal.raise_signal(signal.SIGTERM)
            records.save(folder, entry)

        monkeypatch.setattr("appraiser_cli.running.supervisor.save", interrupted_save)
        with interruptible(), Supervisor(home) as supervisor:
            with pytest.raises(Interrupted):
                supervisor.start(Service("small", server_command(free_port(0))))
            entry = supervisor.started["small"].entry
        assert is_gone(entry.pid)

    def test_service_still_hears_signals(self, home: Home) -> None:
        """What was held back from the command is not held back from a service."""
        with interruptible(), Supervisor(home) as supervisor:
            supervisor.start(Service("sleeper", (sys.executable, "-c", "import time; time.sleep(60)")))
            process = supervisor.started["sleeper"].process
            process.terminate()
            assert process.wait(timeout=10) == -signal.SIGTERM


class TestEnding:
    """Ending what was started, and nothing else."""

    def test_stubborn_process_is_ended_by_force(self, home: Home, server_command: Command) -> None:
        """A process that ignores the request is killed after the grace."""
        port = free_port(0)
        with Supervisor(home) as supervisor:
            supervisor.start(Service("stubborn", server_command(port, 1, stubborn=True), port=port, health="/"))
            until_ready(supervisor)
            entry = supervisor.started["stubborn"].entry
            end([entry], grace=timedelta(seconds=0.3))
            assert is_gone(entry.pid)

    def test_children_of_a_killed_service_are_found(self, server_command: Command, started: Start) -> None:
        """Children that outlived their service are ended, though only the session links them to it."""
        process = started(server_command(free_port(0), 2))
        entry = records.record("small", process.pid, command=())
        until(lambda: len(family(entry)) == 3)
        children = [member.pid for member in family(entry) if member.pid != entry.pid]
        process.kill()
        process.wait()
        assert sorted(member.pid for member in family(entry)) == sorted(children)
        end([entry])
        assert all(is_gone(pid) for pid in children)

    def test_process_with_a_reused_id_is_left_alone(self, server_command: Command, started: Start) -> None:
        """A record whose id belongs to another process now names nothing."""
        process = started(server_command(free_port(0)))
        entry = records.record("small", process.pid, command=())
        stranger = ProcessRecord("small", entry.pid, entry.created - 100, None, "", ())
        assert stranger.process() is None
        assert end([stranger]) == []
        assert not is_gone(process.pid)


class TestDown:
    """`appraiser down`."""

    def test_leftovers_of_a_killed_command_are_ended(self, home: Home, server_command: Command) -> None:
        """`down` ends services whose `up` was killed, and clears the records."""
        script = (
            "import sys, time\n"
            "from pathlib import Path\n"
            "from appraiser_cli.home import Home\n"
            "from appraiser_cli.running.service import Service\n"
            "from appraiser_cli.running.supervisor import Supervisor\n"
            "supervisor = Supervisor(Home(Path(sys.argv[1])))\n"
            "supervisor.start(Service('small', tuple(sys.argv[2:])))\n"
            "time.sleep(600)\n"
        )
        command = [sys.executable, "-c", script, str(home.folder), *server_command(free_port(0), 1)]
        starter = subprocess.Popen(command)
        until(lambda: "small" in records.load(home.run))
        entry = records.load(home.run)["small"]
        until(lambda: len(family(entry)) == 2)
        starter.send_signal(signal.SIGKILL)
        starter.wait()
        members = family(entry)
        assert len(members) == 2
        assert end_system(home) == ["small"]
        assert all(is_gone(member.pid) for member in members)
        assert records.load(home.run) == {}

    def test_nothing_to_end(self, home: Home) -> None:
        """Without records nothing is ended."""
        assert end_system(home) == []

    def test_session_of_the_command_itself_is_left_alone(self, home: Home, started: Start) -> None:
        """`up` may lead the session of a person's shell: only the process itself is ended."""
        shell = started(
            (
                sys.executable,
                "-c",
                "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])",
            )
        )
        until(lambda: bool(psutil.Process(shell.pid).children()))
        (child,) = psutil.Process(shell.pid).children()
        records.save(home.run, records.record(UP, shell.pid, command=()))
        assert end_system(home) == [UP]
        assert is_gone(shell.pid)
        assert child.is_running()
        child.kill()


class TestOwners:
    """A service is ended by the command that started it, or after that was killed."""

    def test_service_of_a_living_command_is_left_alone(
        self, home: Home, server_command: Command, started: Start
    ) -> None:
        """`down` leaves alone what `dev` or `pipeline run` has started and still owns."""
        feed = started(server_command(free_port(0)))
        records.save(home.run, records.record("feed", feed.pid, command=()))
        assert end_system(home) == []
        assert not is_gone(feed.pid)
        assert "feed" in records.load(home.run)

    def test_service_of_a_living_command_keeps_up_from_starting(
        self, home: Home, server_command: Command, started: Start
    ) -> None:
        """`up` names the service and its owner instead of ending it."""
        feed = started(server_command(free_port(0)))
        records.save(home.run, records.record("feed", feed.pid, command=()))
        wish = Wish(data=None, batches=0, once=False, fresh=False, ports={})
        with pytest.raises(OwnedError, match=f"service feed .*process {os.getpid()}"):
            run(home, Settings(), wish)
        assert not is_gone(feed.pid)

    def test_second_airflow_is_refused(self, home: Home, server_command: Command, started: Start) -> None:
        """`dev airflow` starts no second scheduler over the database of one that runs."""
        scheduler = started(server_command(free_port(0)))
        records.save(home.run, records.record("airflow-scheduler", scheduler.pid, command=()))
        with pytest.raises(OwnedError, match="service airflow-scheduler"):
            develop(home, Settings(), "airflow", None, None)
        assert not home.logs.exists()


class TestRecords:
    """Records of processes on disk."""

    def test_record_that_is_none_is_passed_over(self, home: Home) -> None:
        """A damaged file does not keep the others from being read."""
        records.save(home.run, records.record("good", os.getpid(), command=("x",)))
        (home.run / "bad.json").write_text("{")
        (home.run / "other.json").write_text(json.dumps({"name": "other"}))
        assert list(records.load(home.run)) == ["good"]

    def test_newer_record_is_kept(self, home: Home) -> None:
        """Forgetting an old process does not forget the new one of its name."""
        old = ProcessRecord("feed", 1, 0.0, None, "", ())
        new = records.record("feed", os.getpid(), command=())
        records.save(home.run, new)
        records.forget(home.run, old)
        assert records.load(home.run) == {"feed": new}


class TestStatus:
    """`appraiser status`."""

    def test_states(self, home: Home, server_command: Command, started: Start) -> None:
        """A service that answers runs, one that does not is silent, one that is gone has ended."""
        port = free_port(0)
        running, silent, gone = (
            started(server_command(port)),
            started((sys.executable, "-c", "import time; time.sleep(60)")),
            started((sys.executable, "-c", "import time; time.sleep(60)")),
        )
        records.save(
            home.run, records.record("feed", running.pid, port=port, url=f"http://127.0.0.1:{port}", command=())
        )
        dead = free_port(0)
        records.save(home.run, records.record("api", silent.pid, port=dead, url=f"http://127.0.0.1:{dead}", command=()))
        records.save(home.run, records.record("ui", gone.pid, command=()))
        gone.kill()
        gone.wait()
        until(lambda: {s.name: s.state for s in services(home)}["feed"] == "running")
        assert {s.name: s.state for s in services(home)} == {"feed": "running", "api": "silent", "ui": "ended"}
