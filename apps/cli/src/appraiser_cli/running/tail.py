"""The last lines of a log, as a person reads them."""

import json
from pathlib import Path
from typing import Any

_BYTES = 32_768


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log, indented; empty where there is none. JSON lines become their event and error."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - _BYTES))
            text = log.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    readable = [line for entry in text.splitlines() if entry.strip() for line in _readable(entry)]
    return "\n".join(f"    {line}" for line in readable[-lines:])


def _readable(line: str) -> list[str]:
    try:
        entry = json.loads(line)
    except ValueError:
        return [line.rstrip()]
    if not isinstance(entry, dict):
        return [line.rstrip()]
    errors = entry.get("error_detail") or ()
    return [str(entry.get("event", line)), *(_error(error) for error in errors)]


def _error(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    return f"{error.get('exc_type', 'error')}: {error.get('exc_value', '')}"
