"""Every check of the repository, one after another, with a summary."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appraiser_cli.home import ROOT

_TWO_AT_A_TIME: Final = ("--numprocesses", "2", "--dist", "loadfile")
"""Much of the time of a test goes into waiting for servers; what a file's tests share is started once."""

_QUICK: Final = ("-m", "not end_to_end and not browser and not images and not services")


@dataclass(frozen=True, slots=True)
class Check:
    """A check and the command that does it."""

    name: str
    command: tuple[str, ...]


def checks(pytest_arguments: Sequence[str], *, quick: bool) -> tuple[Check, ...]:
    """The checks, quick ones first. Pytest comes last, so that its closing lines do."""
    sources = [
        *sorted(str(path) for kind in ("libs", "apps") for path in ROOT.glob(f"{kind}/*/src")),
        str(ROOT / "bench"),
    ]
    return (
        Check("ruff check", (_tool("ruff"), "check")),
        Check("ruff format", (_tool("ruff"), "format", "--check")),
        Check("mypy", (_tool("mypy"), *sources)),
        Check("import contracts", (_tool("lint-imports"), "--no-logo")),
        Check("exports in locks/", (sys.executable, "-m", "appraiser_cli", "locks", "--check")),
        Check("manifests", (sys.executable, "-m", "appraiser_cli", "check", "manifests")),
        Check("pytest", (_tool("pytest"), *_TWO_AT_A_TIME, *(_QUICK if quick else ()), *pytest_arguments)),
    )


def run_checks(
    *, quick: bool = False, code: bool = True, tests: bool = True, pytest_arguments: Sequence[str] = ()
) -> int:
    """Run them all, or those of the code, or the tests.

    Returns:
        Exit code: 1 when any failed.
    """
    began = time.monotonic()
    results: list[tuple[Check, bool, float]] = []
    for check in checks(pytest_arguments, quick=quick):
        if not (tests if check.name == "pytest" else code):
            continue
        if check.name == "pytest":
            # What came before is summed up here: the last lines belong to pytest.
            _summarise(results)
        ok, seconds = _run(check)
        results.append((check, ok, seconds))
    failed = [check.name for check, ok, _ in results if not ok]
    if failed:
        sys.stderr.write(f"\nfailed: {', '.join(failed)} (after {time.monotonic() - began:.0f} s)\n")
    return 1 if failed else 0


def _run(check: Check) -> tuple[bool, float]:
    sys.stdout.write(f"\n== {check.name} ==\n")
    sys.stdout.flush()
    began = time.monotonic()
    result = subprocess.run(check.command, cwd=ROOT, check=False)
    return result.returncode == 0, time.monotonic() - began


def _summarise(results: Sequence[tuple[Check, bool, float]]) -> None:
    sys.stdout.write("\n")
    for check, ok, seconds in results:
        sys.stdout.write(f"{'ok    ' if ok else 'FAILED'}  {check.name:<20}{seconds:6.1f} s\n")


def _tool(name: str) -> str:
    return str(ROOT / ".venv" / "bin" / name)
