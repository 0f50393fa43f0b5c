"""Starts the whole system, takes batches through the pipeline, and waits until somebody ends it."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from appraiser_cli.errors import OwnedError, PipelineError, RunningError, UsageError
from appraiser_cli.following import report
from appraiser_cli.following.airflow_api import AirflowApi, TaskState
from appraiser_cli.following.run import follow
from appraiser_cli.home import Home
from appraiser_cli.running import lock, records, source
from appraiser_cli.running.display import Display
from appraiser_cli.running.ending import end
from appraiser_cli.running.interrupt import Interrupted, interruptible
from appraiser_cli.running.records import UP, ProcessRecord
from appraiser_cli.running.summary import addresses as address_lines
from appraiser_cli.running.summary import example
from appraiser_cli.running.supervisor import Supervisor
from appraiser_cli.services import addresses
from appraiser_cli.services.addresses import LISTENERS, STORES, Addresses
from appraiser_cli.services.airflow import DAG_ID
from appraiser_cli.services.credentials import Credentials
from appraiser_cli.services.environment import ledger_url
from appraiser_cli.services.profile import Profile, choose, remember
from appraiser_cli.services.services_system import ServicesSystem
from appraiser_cli.services.stores import Stores
from appraiser_cli.services.system import System
from appraiser_cli.settings import Settings
from appraiser_store import Ledger

_LOOK: Final = timedelta(seconds=0.2)
_STOPPING_STEP: Final = "validate"
"""The step that fails where a batch is unfit; that is a verdict on data, and the next batch is taken."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for.

    Attributes:
        batches: New batches to take; None takes all.
        once: Whether everything is ended once the batches are taken.
        ports: Ports by service, in the place of the configured ones.
        profile: What the stores are; None takes what the state folder was made with.
    """

    data: Path | None
    batches: int | None
    once: bool
    fresh: bool
    ports: Mapping[str, int]
    profile: Profile | None = None


def run(home: Home, settings: Settings, wish: Wish) -> int:
    """Run the system.

    Returns:
        Exit code: 0, or 130 where it was interrupted before the batches were taken.
    """
    if wish.fresh and settings.ledger_url not in (None, f"sqlite:///{home.ledger}"):
        raise UsageError(
            f"--fresh moves the state in {str(home.folder)!r} away, but the ledger that APPRAISER_LEDGER_URL names "
            "would stay; unset the variable, or name an empty ledger and another folder with --home DIR."
        )
    profile = choose(home, wish.profile, fresh=wish.fresh)
    elsewhere = Stores(home, settings, {}).elsewhere() if profile is Profile.SERVICES else []
    if wish.fresh and elsewhere:
        raise UsageError(
            f"--fresh moves the state in {str(home.folder)!r} away, but what {' and '.join(elsewhere)} names would "
            "stay; unset that, or name empty stores and another folder with --home DIR."
        )
    with lock.hold(home) as held:
        if not held:
            return _point_to(home, wish)
        leftovers = _leftovers(home)
        with interruptible(), Display() as display, _recorded(home):
            try:
                return _Up(home, settings, wish, profile, display).run(leftovers)
            except Interrupted:
                return 130


def _leftovers(home: Home) -> list[ProcessRecord]:
    """What commands that were killed have left.

    Raises:
        OwnedError: A service belongs to another command that still runs.
    """
    found = [entry for entry in records.load(home.run).values() if entry.name != UP]
    for entry in found:
        if entry.has_owner() and entry.process() is not None:
            raise OwnedError(home.folder, entry.name, entry.owner_pid)
    return found


def _point_to(home: Home, wish: Wish) -> int:
    if wish.once or wish.fresh:
        raise RunningError(home.folder, "--once" if wish.once else "--fresh")
    lines = address_lines(addresses.running(home), Credentials.load_or_make(home))
    sys.stdout.write("\n".join([f"The system runs already, with its state in {home.folder}:", *lines]) + "\n")
    return 0


@contextmanager
def _recorded(home: Home) -> Iterator[None]:
    entry: ProcessRecord = records.record(UP, os.getpid(), command=tuple(sys.argv))
    records.save(home.run, entry)
    try:
        yield
    finally:
        records.forget(home.run, entry)


class _Up:
    def __init__(self, home: Home, settings: Settings, wish: Wish, profile: Profile, display: Display) -> None:
        self._home = home
        self._settings = settings
        self._wish = wish
        self._profile = profile
        self._display = display
        self._told_dead: set[str] = set()

    def run(self, leftovers: list[ProcessRecord]) -> int:
        self._clear(leftovers)
        data = self._source()
        self._home.make()
        remember(self._home, self._profile)
        names = (*LISTENERS, *(STORES if self._profile is Profile.SERVICES else ()))
        places = Addresses.choose(addresses.wanted_ports(self._settings, self._wish.ports), names=names)
        for name, (wanted, given) in places.moved.items():
            self._display.say(f"port {wanted} is taken, so {name} gets {given}", "yellow")
        if self._profile is Profile.EMBEDDED and self._settings.mlflow_tracking_uri:
            self._display.say("MLFLOW_TRACKING_URI is ignored: 'up' starts an MLflow of its own", "yellow")
        try:
            with Supervisor(self._home) as supervisor:
                system = self._system(places, supervisor, data)
                try:
                    return self._work(system)
                finally:
                    self._display.now("ending everything that was started")
        finally:
            self._display.now()
            self._display.say("everything that was started has ended")

    def _clear(self, leftovers: list[ProcessRecord]) -> None:
        ended = end(leftovers)
        for entry in leftovers:
            records.forget(self._home.run, entry)
        if ended:
            names = ", ".join(entry.name for entry in ended)
            self._display.say(f"ended what an earlier start had left: {names}", "yellow")

    def _source(self) -> Path | None:
        if self._wish.fresh:
            # The file is checked before anything is moved.
            data = source.check_file(self._wish.data) if self._wish.data else None
            moved = source.archive(self._home)
            if moved:
                self._display.say(f"the old state lies in {moved} now")
        else:
            data = source.chosen(self._home, self._wish.data)
        if self._profile is Profile.EMBEDDED:
            # A ledger in a server is looked at once that runs.
            self._hold_against_ledger(data)
        name = str(data) if data else "the built-in simulator (made-up listings)"
        self._display.say(f"listings come from {name}; the state lies in {self._home.folder}")
        return data

    def _hold_against_ledger(self, data: Path | None, ports: Mapping[str, int] | None = None) -> None:
        source.hold_against(self._home, data, ledger_url(self._home, self._settings, ports))
        source.remember(self._home, data)

    def _system(self, places: Addresses, supervisor: Supervisor, data: Path | None) -> System:
        if self._profile is Profile.EMBEDDED:
            return System(self._home, self._settings, places, supervisor, data)
        if elsewhere := Stores(self._home, self._settings, {}).elsewhere():
            self._display.say(f"not started, because their addresses are set: {', '.join(elsewhere)}")
        at_ledger = partial(self._hold_against_ledger, data, places.ports)
        return ServicesSystem(self._home, self._settings, places, supervisor, data, at_ledger=at_ledger)

    def _work(self, system: System) -> int:
        system.start_first()
        self._until_ready(system)
        api = AirflowApi(system.addresses.url("airflow"), DAG_ID, system.credentials)
        ledger = Ledger(ledger_url(self._home, self._settings, system.addresses.ports))
        try:
            self._until_parsed(system, api)
            system.start_last()
            self._take_batches(system, api, ledger)
        except PipelineError:
            # Where a service has ended, its log tells more than that Airflow does not answer.
            system.check_pipeline()
            raise
        finally:
            ledger.close()
            api.close()
        if self._wish.once:
            self._display.say(f"all batches are taken, after {self._elapsed()}", "bold green")
            return 0
        return self._wait(system)

    def _until_ready(self, system: System) -> None:
        while not system.can_run_pipeline:
            self._look(system)
            time.sleep(_LOOK.total_seconds())

    def _until_parsed(self, system: System, api: AirflowApi) -> None:
        deadline = time.monotonic() + 90
        while not api.is_parsed():
            self._look(system)
            self._display.now("airflow reads the pipeline")
            if time.monotonic() > deadline:
                errors = "\n".join(api.import_errors()) or "no error was reported"
                raise PipelineError(None, f"Airflow has not read the DAG {DAG_ID} after 90 s: {errors}")
            time.sleep(_LOOK.total_seconds())
        self._display.say(f"the pipeline can start after {self._elapsed()}", "bold")

    def _take_batches(self, system: System, api: AirflowApi, ledger: Ledger) -> None:
        taken = 0
        waiting = api.active_runs()
        if waiting:
            self._display.say("going on with a run that was interrupted", "yellow")
        for run_id in waiting:
            taken += self._finish_interrupted(system, api, ledger, run_id)
        while self._wish.batches is None or taken < self._wish.batches:
            if self._take_batch(system, api, ledger, api.trigger()) is None:
                return
            taken += 1

    def _finish_interrupted(self, system: System, api: AirflowApi, ledger: Ledger, run_id: str) -> bool:
        try:
            return self._take_batch(system, api, ledger, run_id) is not None
        except PipelineError as error:
            system.check_pipeline()
            # It may have been cut off where it cannot be taken up again; the next run repairs what it left.
            self._display.say(f"the interrupted run ended: {str(error).splitlines()[0]}", "yellow")
            return False

    def _take_batch(self, system: System, api: AirflowApi, ledger: Ledger, run_id: str) -> int | None:
        """Follow a run to its end.

        Returns:
            Number of its batch; None where the source has no further one.
        """
        began = time.monotonic()
        number: int | None = None
        batch = "next batch"
        try:
            for progress in follow(api, run_id, self._home, DAG_ID):
                for task in progress.ended:
                    if task.name == "fetch_batch" and task.state == "success":
                        number = report.last_batch(ledger)
                        batch = f"batch {number}"
                    self._tell_step(batch, task)
                step = progress.current.name if progress.current else "waiting for the next step"
                self._look(system, f"{batch}: {step}")
                system.check_pipeline()
        except PipelineError as error:
            if error.step != _STOPPING_STEP or not report.was_stopped(ledger):
                raise
        self._tell_batch(ledger, number, time.monotonic() - began)
        return number

    def _tell_step(self, batch: str, task: TaskState) -> None:
        word = {"success": "", "up_for_retry": "failed, will be tried again"}.get(task.state or "", task.state)
        line = f"{batch:<12}{task.name:<18}{task.seconds or 0.0:6.1f} s  {word}"
        self._display.say(line.rstrip(), "red" if word else "", indent=2)

    def _tell_batch(self, ledger: Ledger, number: int | None, seconds: float) -> None:
        if number is None:
            self._display.say(f"the source has no further batch ({seconds:.1f} s)", "bold")
            return
        self._display.say(f"batch {number} took {seconds:.1f} s", "bold green")
        for line in report.told(ledger, number):
            self._display.say(line, indent=2)

    def _look(self, system: System, *doing: str) -> None:
        fresh = system.supervisor.check()
        for started in fresh:
            self._display.say(f"{started.service.name:<22}ready after {started.seconds:5.1f} s  {started.service.url}")
        system.advance(fresh)
        for started in system.supervisor.ended():
            if started.service.name not in self._told_dead:
                self._told_dead.add(started.service.name)
                log = system.supervisor.log(started.service.name)
                self._display.say(
                    f"{started.service.name} has ended by itself with exit code {started.ended}; its log: {log}", "red"
                )
        self._display.now(*doing, *(f"starting {waiting.service.name}" for waiting in system.supervisor.waiting()))

    def _wait(self, system: System) -> int:
        while system.supervisor.waiting():
            self._look(system)
            time.sleep(_LOOK.total_seconds())
        self._display.say(f"\neverything runs, after {self._elapsed()}", "bold green")
        started = system.supervisor.started
        ports = {name: port for name, port in system.addresses.ports.items() if name in started}
        for line in address_lines(ports, system.credentials):
            self._display.say(line, indent=2, whole=True)
        self._display.say("\nWhat is a house worth?")
        self._display.say(example(system.addresses.ports["api"]), indent=2, whole=True)
        self._display.say("\nA further batch: './appraiser pipeline run'. Ctrl-C ends everything.")
        try:
            while True:
                self._look(system)
                time.sleep(1)
        except Interrupted:
            return 0

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._display.began:.0f} s"
