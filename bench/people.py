"""Twenty people at once: how long they wait, what fails, and whether everything they were told is on record."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from durability import Postgresql
from stand import ROOT, keep_champion, running_api
from swap import tests_module

from appraiser_cli.home import Home
from appraiser_cli.services.addresses import running
from appraiser_cli.services.environment import ledger_url
from appraiser_cli.settings import Settings
from appraiser_schema import example_listing
from appraiser_store import Ledger

USERS: Final = 20
SECONDS: Final = 300.0
WORKERS: Final = 2
_KEY: Final = os.environ.get("APPRAISER_API_KEY", "")
HEADERS: Final = {"authorization": f"Bearer {_KEY}"} if _KEY else {}
PATIENCE_SECONDS: Final = 120.0
"""How long an answer may be on its way to the ledger; it takes a second or two."""


def load(url: str, ledger: str, users: int, seconds: float) -> dict[str, Any]:
    """Let people ask, and compare what they were told with what is on record.

    Args:
        url: Address of the API.
        ledger: Where its appraisals go.
        users: People at once.
        seconds: How long they ask. [s]
    """
    records = Ledger(ledger)
    try:
        _warm(url)
        before = _still(records)
        report = _ask(url, users, seconds)
        recorded = _settled(records, before + report["answered_rows"]) - before
    finally:
        records.close()
    return {"users": users, "seconds": seconds, **report, "recorded_rows": recorded}


def _ask(url: str, users: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="appraiser-load-") as folder:
        file = Path(folder) / "report.json"
        line = [sys.executable, "-m", "locust", "-f", str(ROOT / "bench" / "locustfile.py"), "--host", url]
        options = ["--headless", "--only-summary", "--users", str(users), "--spawn-rate", str(users)]
        done = subprocess.run(
            [*line, *options, "--run-time", f"{seconds:g}s", "--stop-timeout", "30", "--exit-code-on-error", "0"],
            env=os.environ | {"APPRAISER_LOAD_REPORT": str(file)},
            capture_output=True,
            text=True,
            check=False,
        )
        if not file.exists():
            sys.stderr.write(done.stderr)
            raise SystemExit(done.returncode or 1)
        report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return report


def _warm(url: str) -> None:
    """Wait until every worker has loaded what tables and reasons need: it serves single houses meanwhile."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    quick = 0
    while quick < 10 and time.monotonic() < deadline:
        # A connection each time: another worker may take it.
        began = time.monotonic()
        httpx.post(f"{url}/explain", json=example_listing(), headers=HEADERS, timeout=60, trust_env=False)
        quick = quick + 1 if time.monotonic() - began < 0.5 else 0


def _still(records: Ledger) -> int:
    """How many appraisals are on record, once none comes any more."""
    before = -1
    while (now := records.count_predictions()) != before:
        before = now
        time.sleep(2)
    return now


def _settled(records: Ledger, wanted: int) -> int:
    """Wait until what was answered is on record; gives how many rows are, a second after that."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while records.count_predictions() < wanted and time.monotonic() < deadline:
        time.sleep(0.2)
    # What is more than was answered would be as wrong.
    time.sleep(1)
    return records.count_predictions()


@contextmanager
def _own_api() -> Iterator[tuple[str, str]]:
    """An API of our own with a small champion, on PostgreSQL where that is installed."""
    bundle = tests_module("tiny_champion").train_tiny()
    server = Postgresql() if Postgresql.installed() else None
    try:
        with tempfile.TemporaryDirectory(prefix="appraiser-load-") as name:
            folder = Path(name)
            keep_champion(bundle, folder / "models")
            ledger = server.url if server else f"sqlite:///{folder / 'ledger.db'}"
            settings = {
                "APPRAISER_API_WORKERS": str(WORKERS),
                "APPRAISER_API_RUN": str(folder / "run"),
                "APPRAISER_LEDGER_URL": ledger,
            }
            with running_api(folder, settings=settings) as api:
                yield api.url, ledger
    finally:
        if server:
            server.close()


def render(report: Mapping[str, Any]) -> str:
    """The report for people."""
    heads = "".join(f"{head:>7}" for head in ("p90", "p95", "p99", "p99.9", "max"))
    lines = [
        f"{report['users']} people, {report['seconds']:g} s, at {report['url']}",
        "",
        f"{'asked for':<16}{'requests':>9}{'failed':>8}{'per s':>8}{'p50 ms':>8}{heads}",
    ]
    for name, one in report["requests"].items():
        times = "".join(f"{one[f'p{share}_ms']:>7.0f}" for share in ("90", "95", "99", "99.9", "100"))
        lines.append(
            f"{name:<16}{one['count']:>9,}{one['failed']:>8}{one['per_second']:>8.1f}{one['p50_ms']:>8.0f}{times}"
        )
    lines += ["", f"appraisals answered {report['answered_rows']:,}, on record {report['recorded_rows']:,}"]
    return "\n".join([*lines, *report["errors"]])


def main(arguments: list[str] | None = None) -> int:
    """Let people ask; exit code 1 where a request failed, or an answer is not on record."""
    parser = argparse.ArgumentParser(prog="appraiser bench load", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--home", type=Path, help="ask the running system of this state folder")
    wish = parser.parse_args(arguments)
    if wish.home:
        settings = Settings()
        home = settings.state(wish.home)
        url = f"http://127.0.0.1:{_port(home)}"
        report = load(url, ledger_url(home, settings), wish.users, wish.seconds)
    else:
        with _own_api() as (url, ledger):
            report = load(url, ledger, wish.users, wish.seconds)
    report = {"url": url, **report}
    print(json.dumps(report, indent=2) if wish.json else render(report))
    failed = report["requests"]["all"]["failed"]
    return 0 if failed == 0 and report["answered_rows"] == report["recorded_rows"] else 1


def _port(home: Home) -> int:
    ports = running(home)
    if "api" not in ports:
        sys.stderr.write(f"no API of {home.folder} runs; start it with './appraiser up'\n")
        raise SystemExit(2)
    return ports["api"]


if __name__ == "__main__":
    sys.exit(main())
