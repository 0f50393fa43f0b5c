"""Runs the pipeline's own command as a child, with a feed beside it where none runs."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from appraiser_cli.errors import CliError, UsageError
from appraiser_cli.home import ROOT, Home
from appraiser_cli.running import source
from appraiser_cli.running.interrupt import Interrupted, interruptible
from appraiser_cli.running.supervisor import Supervisor
from appraiser_cli.services import addresses
from appraiser_cli.services.addresses import Addresses
from appraiser_cli.services.apps import feed
from appraiser_cli.services.environment import lake, ledger_url, shared, tracking_uri
from appraiser_cli.settings import Settings
from appraiser_schema import Decision

_LOOK_SECONDS: Final = 0.1


def run_pipeline(
    home: Home, settings: Settings, arguments: list[str], data: Path | None, defaults: Mapping[str, str] | None = None
) -> int:
    """Run `python -m appraiser_pipeline`.

    Args:
        home: State folder.
        settings: Where the stores are.
        arguments: Of the pipeline's own command.
        data: File of the feed that is started where none runs.
        defaults: Variables that are set where the caller has not.

    Returns:
        Its exit code; 130 where it was interrupted.
    """
    home.make()
    running = addresses.running(home)
    places = Addresses.choose(lambda name: 0 if name == "feed" else settings.port(name), running)
    environment = shared(home, settings, places, tracking_uri(home, settings)) | lake(home, settings, places)
    with interruptible(), Supervisor(home) as supervisor:
        try:
            if "feed" not in running and _asks_for_batches(arguments):
                chosen = source.choose(home, data, ledger_url(home, settings))
                source.remember(home, chosen)
                supervisor.start(feed(places, environment, chosen))
                _until_ready(supervisor)
            return _child(arguments, {**(defaults or {}), **os.environ, **environment})
        except Interrupted:
            return 130


def told_anew(home: Home, settings: Settings, thresholds: list[str]) -> list[Decision]:
    """What would have been decided of every evaluated version under other thresholds.

    Raises:
        UsageError: There is no such threshold, or it cannot have that value.
        CliError: Anything else went wrong.
    """
    places = Addresses.choose(lambda _: 0, addresses.running(home))
    environment = shared(home, settings, places, tracking_uri(home, settings)) | lake(home, settings, places)
    command = [sys.executable, "-m", "appraiser_pipeline", "what-if", *thresholds, "--json"]
    child = subprocess.run(
        command, env={**os.environ, **environment}, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if child.returncode:
        said = child.stderr.strip().splitlines() or [f"the pipeline ended with {child.returncode} and said nothing"]
        kind = UsageError if child.returncode == UsageError.exit_code else CliError
        raise kind(said[-1].removeprefix("Error: "))
    return TypeAdapter(list[Decision]).validate_json(child.stdout)


def _asks_for_batches(arguments: list[str]) -> bool:
    """Whether the source is needed: the other steps work on what has landed."""
    return (arguments[0] == "run" and "--again" not in arguments) or "fetch_batch" in arguments


def _until_ready(supervisor: Supervisor) -> None:
    while supervisor.waiting():
        supervisor.check()
        time.sleep(_LOOK_SECONDS)


def _child(arguments: list[str], environment: dict[str, str]) -> int:
    command = [sys.executable, "-m", "appraiser_pipeline", *arguments]
    child = subprocess.Popen(command, env=environment, cwd=ROOT)
    try:
        return child.wait()
    except Interrupted:
        # Ctrl-C reaches the child as well; SIGTERM does not.
        child.terminate()
        child.wait()
        raise
