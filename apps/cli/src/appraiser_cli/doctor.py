"""Checks a machine and a state folder, and says what to do about what is wrong."""

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import httpx

from appraiser_cli.errors import CliError, NotThereError
from appraiser_cli.home import DAGS, ROOT, Home
from appraiser_cli.locks import check_locks, differing_from_locks, uv
from appraiser_cli.running.ports import is_free
from appraiser_cli.services import addresses, postgresql
from appraiser_cli.services.addresses import LISTENERS, STORES, Addresses
from appraiser_cli.services.airflow import DAG_ID
from appraiser_cli.services.environment import ledger_url, tracking_uri
from appraiser_cli.services.profile import Profile, profile_of
from appraiser_cli.services.stores import Stores
from appraiser_cli.settings import Settings
from appraiser_cli.status import services
from appraiser_store import Ledger, StoreError

_GIGABYTE: Final = 1_000_000_000
_LOW_DISK_BYTES: Final = 2 * _GIGABYTE
_NO_DISK_BYTES: Final = _GIGABYTE // 4
"""A full run over the sample data writes about 0.2 GB; below that, nothing can work."""

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    what: str
    text: str

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def examine(home: Home, settings: Settings) -> list[Finding]:
    """Look at everything; one check that cannot be made does not keep the others from being made."""
    findings: list[Finding] = []
    for check in (
        _python,
        _uv,
        _packages,
        _locks,
        _installed,
        _folders,
        _disk,
        _services,
        _ports,
        _stores,
        _ledger,
        _mlflow,
        _airflow,
        _browser,
    ):
        findings += _guarded(check, home, settings)
    return findings


type _Check = Callable[[Home, Settings], Iterator[Finding]]


def _guarded(check: _Check, home: Home, settings: Settings) -> list[Finding]:
    try:
        return list(check(home, settings))
    except (CliError, StoreError, OSError) as error:
        return [Finding(Level.FAIL, check.__name__.strip("_"), str(error))]
    except Exception as error:  # noqa: BLE001 - what is sick may fail in any way, and is what is asked for
        return [Finding(Level.FAIL, check.__name__.strip("_"), f"{type(error).__name__}: {error}")]


def _python(_home: Home, _settings: Settings) -> Iterator[Finding]:
    wanted = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    found = platform.python_version()
    if found.startswith(wanted + "."):
        yield Finding(Level.OK, "python", found)
    else:
        yield Finding(Level.FAIL, "python", f"{found}, but {wanted} is needed; remove .venv and run ./appraiser again")


def _uv(_home: Home, _settings: Settings) -> Iterator[Finding]:
    path = uv()
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    yield Finding(Level.OK, "uv", f"{answer.stdout.strip()} ({path})")


def _packages(_home: Home, _settings: Settings) -> Iterator[Finding]:
    names = ("apache-airflow", "mlflow", "xgboost", "polars", "pyiceberg", "fastapi", "streamlit")
    try:
        yield Finding(Level.OK, "packages", ", ".join(f"{name} {version(name)}" for name in names))
    except PackageNotFoundError as error:
        yield Finding(Level.FAIL, "packages", f"{error.name} is missing; remove .venv and run ./appraiser again")


def _locks(_home: Home, _settings: Settings) -> Iterator[Finding]:
    stale = check_locks()
    if stale:
        yield Finding(Level.WARN, "locks", f"stale: {', '.join(stale)}; write them anew with './appraiser locks'")
    else:
        yield Finding(Level.OK, "locks", "the exports are current")


def _folders(home: Home, _settings: Settings) -> Iterator[Finding]:
    try:
        home.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=home.folder):
            yield Finding(Level.OK, "state folder", f"{home.folder} can be written to")
    except OSError as error:
        yield Finding(
            Level.FAIL, "state folder", f"{home.folder}: {error.strerror}; choose another with --home or APPRAISER_HOME"
        )


def _disk(home: Home, _settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(home.folder if home.folder.exists() else ROOT).free
    level = Level.FAIL if free < _NO_DISK_BYTES else Level.WARN if free < _LOW_DISK_BYTES else Level.OK
    advice = "" if level is Level.OK else "; free some, or choose another disk with --home"
    yield Finding(level, "disk", f"{free / _GIGABYTE:.1f} GB free{advice}")


def _services(home: Home, _settings: Settings) -> Iterator[Finding]:
    found = services(home)
    if not found:
        yield Finding(Level.OK, "services", "nothing runs; start with './appraiser up'")
    for service in found:
        if service.state == "running":
            yield Finding(Level.OK, service.name, f"runs as process {service.pid} {service.url}".rstrip())
        elif service.state == "silent":
            yield Finding(Level.WARN, service.name, f"runs but does not answer; see {home.logs / service.name}.log")
        else:
            text = (
                f"has ended ({service.state}); './appraiser down' cleans up, its log is {home.logs / service.name}.log"
            )
            yield Finding(Level.WARN, service.name, text)


def _ports(home: Home, settings: Settings) -> Iterator[Finding]:
    ours = addresses.running(home)
    # Port 0 takes any that is free.
    names = (*LISTENERS, *(STORES if profile_of(home) is Profile.SERVICES else ()))
    wanted = {name: settings.port(name) for name in names if name not in ours and settings.port(name)}
    taken = [f"{port} ({name})" for name, port in wanted.items() if not is_free(port)]
    if taken:
        yield Finding(
            Level.WARN, "ports", f"taken by others: {', '.join(taken)}; 'up' will choose free ones and name them"
        )
    else:
        yield Finding(Level.OK, "ports", "free, or ours")


def _installed(_home: Home, _settings: Settings) -> Iterator[Finding]:
    wrong = differing_from_locks()
    if wrong:
        named = "; ".join(f"{each.package} {each.found} instead of {each.locked} ({each.image})" for each in wrong[:5])
        more = f", and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        yield Finding(
            Level.WARN,
            "libraries",
            f"what runs here is not what the images install: {named}{more}. Remove .venv and run ./appraiser again; "
            "where the exports are stale, './appraiser locks'",
        )
    else:
        yield Finding(Level.OK, "libraries", "those of the exports in locks/")


def _stores(home: Home, settings: Settings) -> Iterator[Finding]:
    if profile_of(home) is not Profile.SERVICES:
        return
    stores = Stores(home, settings, addresses.running(home))
    if elsewhere := stores.elsewhere():
        yield Finding(Level.OK, "profile", f"services; elsewhere: {', '.join(elsewhere)}")
    else:
        yield Finding(Level.OK, "profile", "services; all stores are the state folder's own")
    try:
        url = stores.database("appraiser")
    except NotThereError:
        yield Finding(Level.OK, "postgresql", "does not run; './appraiser up' starts it")
        return
    yield Finding(Level.OK, "postgresql", f"server {postgresql.server_version(url)}")


def _ledger(home: Home, settings: Settings) -> Iterator[Finding]:
    try:
        url = ledger_url(home, settings)
    except NotThereError:
        yield Finding(Level.OK, "ledger", "in PostgreSQL, which does not run")
        return
    if url == f"sqlite:///{home.ledger}" and not home.ledger.exists():
        yield Finding(Level.OK, "ledger", "none yet")
        return
    ledger = Ledger(url)
    try:
        yield Finding(Level.OK, "ledger", f"{len(ledger.batches())} batches")
    finally:
        ledger.close()


def _mlflow(home: Home, settings: Settings) -> Iterator[Finding]:
    client = version("mlflow")
    try:
        configured = tracking_uri(home, settings)
    except NotThereError:
        configured = ""
    if not configured.startswith("http"):
        yield Finding(Level.OK, "mlflow", f"client {client}; no server runs")
        return
    whole = httpx.URL(configured)
    # A password in the address must not be shown, also not by an error.
    uri = str(whole.copy_with(userinfo=b"")).rstrip("/")
    login = (whole.username, whole.password) if whole.userinfo else None
    try:
        answer = httpx.get(f"{uri}/version", auth=login, timeout=5, trust_env=False)
        server = answer.raise_for_status().text.strip()
    except httpx.HTTPError as error:
        yield Finding(Level.FAIL, "mlflow", f"the server at {uri} does not answer: {error}")
        return
    if server == client:
        yield Finding(Level.OK, "mlflow", f"client and server are {client}")
    else:
        text = f"client {client}, server {server} at {uri}; a client of another generation breaks the registry"
        yield Finding(Level.FAIL, "mlflow", f"{text}. Run both from one environment.")


def _airflow(home: Home, _settings: Settings) -> Iterator[Finding]:
    if not (DAGS / f"{DAG_ID}.py").is_file():
        yield Finding(Level.FAIL, "airflow", f"the DAG is missing in {DAGS}; restore it with git")
        return
    ports = addresses.running(home)
    if "airflow" not in ports:
        yield Finding(Level.OK, "airflow", f"{version('apache-airflow')}; not running")
        return
    url = f"{Addresses(ports, {}).url('airflow')}/api/v2"
    server = httpx.get(f"{url}/version", timeout=10, trust_env=False).raise_for_status().json()["version"]
    if server != version("apache-airflow"):
        yield Finding(
            Level.FAIL,
            "airflow",
            f"installed is {version('apache-airflow')}, and the server at {url} is {server}: the steps would run under "
            "another version than they were tested with. End it with './appraiser down' and start it again.",
        )
        return
    health = httpx.get(f"{url}/monitor/health", timeout=10, trust_env=False).raise_for_status().json()
    sick = [part for part in ("metadatabase", "scheduler", "dag_processor") if health[part]["status"] != "healthy"]
    if sick:
        yield Finding(
            Level.FAIL, "airflow", f"not healthy: {', '.join(sick)}; see {home.logs}/airflow*.log, restart 'up'"
        )
    else:
        yield Finding(Level.OK, "airflow", f"{version('apache-airflow')}; scheduler and DAG processor are healthy")


def _browser(_home: Home, _settings: Settings) -> Iterator[Finding]:
    chosen = os.environ.get("APPRAISER_CHROMIUM", "")
    found = next((path for name in (chosen, *_BROWSERS) if name and (path := shutil.which(name))), None)
    if found:
        yield Finding(Level.OK, "browser", found)
    else:
        text = "no Chromium; the browser test is skipped (on Debian: apt-get install chromium)"
        yield Finding(Level.WARN, "browser", text)
