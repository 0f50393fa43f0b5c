"""One app's development server, against whatever else runs."""

import os
import subprocess
import sys
import time
from pathlib import Path

from appraiser_cli.errors import OwnedError
from appraiser_cli.home import ROOT, Home
from appraiser_cli.running import records, source
from appraiser_cli.running.display import Display
from appraiser_cli.running.interrupt import Interrupted, interruptible
from appraiser_cli.running.supervisor import Supervisor
from appraiser_cli.services import addresses, airflow, apps
from appraiser_cli.services.addresses import Addresses
from appraiser_cli.services.credentials import Credentials
from appraiser_cli.services.environment import lake, ledger_url, shared, tracking_uri
from appraiser_cli.services.profile import Profile, profile_of
from appraiser_cli.services.stores import Stores
from appraiser_cli.settings import Settings


def develop(home: Home, settings: Settings, app: str, port: int | None, data: Path | None) -> int:
    """Run a development server until it ends or is interrupted.

    Returns:
        Its exit code; 0 where it was interrupted.

    Raises:
        OwnedError: Airflow runs already: two schedulers would work on one database.
    """
    if app == "airflow":
        _refuse_second(home)
    home.make()
    running = addresses.running(home)
    # An instance that `up` started keeps its port; this one gets the next that is free.
    others = {name: number for name, number in running.items() if name != app}
    wanted = settings.port(app) if port is None else port
    places = Addresses.choose(lambda name: wanted if name == app else settings.port(name), others)
    if wanted not in (0, places.ports[app]):
        sys.stderr.write(f"appraiser: port {wanted} is taken, so {app} gets {places.ports[app]}\n")
    environment = shared(home, settings, places, tracking_uri(home, settings))
    sys.stderr.write(f"appraiser: {app} at {places.url(app)}; against {', '.join(others) or 'nothing else'}\n")
    with interruptible():
        try:
            if app == "airflow":
                database = None
                if profile_of(home) is Profile.SERVICES:
                    database = Stores(home, settings, places.ports).database("airflow")
                    environment |= lake(home, settings, places)
                return _airflow(home, places, environment, database)
            return _app(home, settings, places, environment, app=app, data=data)
        except Interrupted:
            return 0


def _refuse_second(home: Home) -> None:
    for name in airflow.PARTS:
        entry = records.load(home.run).get(name)
        if entry and entry.process() is not None:
            raise OwnedError(home.folder, name, entry.owner_pid)


def _app(
    home: Home, settings: Settings, places: Addresses, environment: dict[str, str], *, app: str, data: Path | None
) -> int:
    match app:
        case "feed":
            chosen = source.choose(home, data, ledger_url(home, settings))
            service = apps.feed(places, environment, chosen)
        case "api":
            service = apps.api(places, environment)
        case _:
            service = apps.ui(places, environment)
    command = [*service.command, "--reload"]
    child = subprocess.Popen(command, env={**os.environ, **service.environment}, cwd=ROOT)
    try:
        return child.wait()
    except Interrupted:
        child.terminate()
        child.wait()
        raise


def _airflow(home: Home, places: Addresses, environment: dict[str, str], database: str | None) -> int:
    credentials = Credentials.load_or_make(home)
    airflow.write_passwords(home, credentials)
    settings = {**environment, **airflow.settings(home, places, credentials, database)}
    with Display() as display, Supervisor(home) as supervisor:
        if database is None and airflow.needs_migration(home):
            supervisor.start(airflow.migration(settings))
            _until_ready(supervisor, display)
            airflow.note_migration(home)
        for service in airflow.processes(places, settings, reload=True):
            supervisor.start(service)
        _until_ready(supervisor, display)
        display.say(f"Airflow: {places.url('airflow')} (user {credentials.user}, password {credentials.password})")
        display.say(f"logs: {home.logs}/airflow*.log. Ctrl-C ends it.")
        while not supervisor.ended():
            supervisor.check()
            time.sleep(1)
        return 1


def _until_ready(supervisor: Supervisor, display: Display) -> None:
    while supervisor.waiting():
        for started in supervisor.check():
            display.say(f"{started.service.name} ready after {started.seconds:.1f} s")
        display.now(*(f"starting {started.service.name}" for started in supervisor.waiting()))
        time.sleep(0.2)
    display.now()
