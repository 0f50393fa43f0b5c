"""Attack a real API by its own OpenAPI document: no answer may be a fault of the service, none may be undocumented."""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

import httpx
from stand import running_api
from swap import make_registry

CHECKS: Final = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance"
)
_COUNT: Final = re.compile(r'appraiser_requests_total\{[^}]*status="(\d+)"\} (\d+)')


def run(cases: int, folder: Path, seed: int) -> dict[str, Any]:
    """Send about so many cases, spread over the operations, and tell what came back.

    Args:
        cases: How many at least.
        folder: Empty; everything is written there.
        seed: Of the cases.
    """
    registry = make_registry(folder)
    with running_api(folder, settings={"MLFLOW_TRACKING_URI": registry.tracking_uri}) as api:
        document = httpx.get(f"{api.url}/openapi.json").json()
        operations = sum(len(methods) for methods in document["paths"].values())
        before = _answers(api.url)
        answers: Counter[int] = Counter()
        summaries: list[str] = []
        good = True
        while sum(answers.values()) < cases and good:
            per_operation = max(1, (cases - sum(answers.values())) // operations)
            done = _attack(api.url, per_operation, seed + len(summaries))
            good = done.returncode == 0
            summaries.append(done.stdout[done.stdout.rfind("SUMMARY") :])
            if not good:
                sys.stderr.write(done.stdout + done.stderr)
            answers = _answers(api.url) - before
    return {
        "cases": sum(answers.values()),
        "operations": operations,
        "answers": {str(status): count for status, count in sorted(answers.items())},
        "server_errors": sum(count for status, count in answers.items() if status >= 500),
        "passed": good,
        "summary": summaries[-1],
    }


def _answers(url: str) -> Counter[int]:
    """Answers by status, as the API counts them."""
    answers: Counter[int] = Counter()
    for status, count in _COUNT.findall(httpx.get(f"{url}/metrics").text):
        answers[int(status)] += int(count)
    return answers


def _attack(url: str, per_operation: int, seed: int) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", "--no-color", "--no-shrink"]
    command += ["--max-examples", str(per_operation), "--checks", CHECKS, "--seed", str(seed), "--warnings", "off"]
    command += ["--phases", "examples,coverage,fuzzing", "--generation-database", "none", "--continue-on-failure"]
    command += ["--suppress-health-check", "all", "--request-timeout", "60"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def main(arguments: list[str] | None = None) -> int:
    """Attack; exit code 1 where something was answered that may not be."""
    parser = argparse.ArgumentParser(prog="appraiser bench fuzz", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    wish = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="appraiser-fuzz-") as folder:
        report = run(wish.cases, Path(folder), wish.seed)
    if wish.json:
        print(json.dumps(report, indent=2))
    else:
        print(report["summary"].strip())
        print(f"{report['cases']:,} cases over {report['operations']} operations; answers: {report['answers']}")
    return 0 if report["passed"] and report["server_errors"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
