"""Starts services, tells when they are ready or ended, and ends them all."""

import contextlib
import os
import pwd
import subprocess
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from appraiser_cli.errors import ServiceError
from appraiser_cli.home import ROOT, Home
from appraiser_cli.running.ending import end
from appraiser_cli.running.interrupt import Interrupted, uninterrupted
from appraiser_cli.running.records import ProcessRecord, forget, record, save
from appraiser_cli.running.service import Service
from appraiser_cli.running.tail import tail


@dataclass(slots=True)
class Started:
    """A service that was started.

    Attributes:
        seconds: How long it took to get ready; None until it is.
        ended: Exit code; None while it runs.
    """

    service: Service
    process: subprocess.Popen[bytes]
    entry: ProcessRecord
    began: float = field(default_factory=time.monotonic)
    seconds: float | None = None
    ended: int | None = None


class Supervisor:
    """The services of one state folder. Leaving the context ends everything that was started in it."""

    def __init__(self, home: Home) -> None:
        self.started: dict[str, Started] = {}
        self._home = home
        self._http = httpx.Client(timeout=2.0, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def log(self, name: str) -> Path:
        """Where a service's log lies."""
        return self._home.logs / f"{name}.log"

    def start(self, service: Service) -> None:
        """Start a service in a session of its own, with its output going to its log, and record it."""
        self._home.logs.mkdir(parents=True, exist_ok=True)
        # A service that nobody has recorded would outlive everything.
        with self.log(service.name).open("ab") as log, uninterrupted():
            process = subprocess.Popen(
                service.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **service.environment},
                start_new_session=True,
                **_as(service.user),
            )
            entry = record(
                service.name,
                process.pid,
                port=service.port,
                url=service.url,
                command=service.command,
                store=service.store,
            )
            save(self._home.run, entry)
            self.started[service.name] = Started(service, process, entry)

    def check(self) -> list[Started]:
        """Look at every service once.

        Returns:
            Those that got ready since the last look.

        Raises:
            ServiceError: One ended before it was ready, or is not ready in time.
        """
        fresh = []
        for started in self.started.values():
            self._reap(started)
            if started.seconds is None and self._is_ready(started):
                started.seconds = time.monotonic() - started.began
                fresh.append(started)
        return fresh

    def is_ready(self, *names: str) -> bool:
        """Whether all of these were started and got ready."""
        return all(name in self.started and self.started[name].seconds is not None for name in names)

    def waiting(self) -> list[Started]:
        """Services that are not ready yet."""
        return [started for started in self.started.values() if started.seconds is None]

    def ended(self) -> list[Started]:
        """Services that were ready and have ended since, though they should run on."""
        return [s for s in self.started.values() if s.ended is not None and not s.service.once]

    def need(self, *names: str) -> None:
        """Look whether these still run.

        Raises:
            ServiceError: One has ended since it was ready.
        """
        for started in self.started.values():
            self._reap(started)
        for started in self.ended():
            if started.service.name in names:
                raise self._error(started, f"has ended by itself with exit code {started.ended}")

    def stop(self) -> None:
        """End everything that was started, and forget it. Asked to end once more meanwhile, it uses force at once."""
        # A server that is told to end waits for its open connections.
        self._http.close()
        entries = [started.entry for started in self.started.values()]
        try:
            end(entries)
        except Interrupted:
            end(entries, grace=timedelta(0))
        for started in self.started.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.process.wait(timeout=1)
        for entry in entries:
            forget(self._home.run, entry)
        self.started.clear()

    def _reap(self, started: Started) -> None:
        started.ended = started.process.poll()
        if started.ended is not None and started.service.once:
            forget(self._home.run, started.entry)

    def _is_ready(self, started: Started) -> bool:
        service = started.service
        if started.ended is not None and not (service.once and started.ended == 0):
            raise self._error(started, f"ended with exit code {started.ended} before it was ready")
        ready = started.ended == 0 if service.once else self._answers(service)
        if not ready and time.monotonic() - started.began > service.patience.total_seconds():
            raise self._error(started, f"was not ready after {service.patience.total_seconds():.0f} s")
        return ready

    def _answers(self, service: Service) -> bool:
        if service.probe is not None:
            return service.probe()
        if not service.health:
            return True
        try:
            answer = self._http.get(httpx.URL(service.url).join(service.health))
            return answer.is_success and (not service.part or _is_healthy(answer.json(), service.part))
        except (httpx.HTTPError, ValueError):
            return False

    def _error(self, started: Started, problem: str) -> ServiceError:
        log = self.log(started.service.name)
        return ServiceError(started.service.name, problem, log, tail(log))


def _as(user: str | None) -> dict[str, Any]:
    """Where a service works, and who it is."""
    if user is None:
        return {"cwd": ROOT}
    known = pwd.getpwnam(user)
    return {"cwd": "/", "user": known.pw_uid, "group": known.pw_gid, "extra_groups": []}


def _is_healthy(answer: object, part: str) -> bool:
    found = answer.get(part) if isinstance(answer, dict) else None
    return isinstance(found, dict) and found.get("status") == "healthy"
