"""`python -m appraiser_api`: the server. One process per port, so that its counters and its champion are one."""

import argparse
import signal
import sys
from pathlib import Path
from typing import Any, Final

import uvicorn
from pydantic import ValidationError

from appraiser_api.logs import configure_logs
from appraiser_api.main import create_app
from appraiser_api.openapi import to_text
from appraiser_api.settings import Settings

GRACE_SECONDS: Final = 10
"""How long requests that have begun may take once the server is told to stop."""


def main() -> None:
    """Serve until told to stop; SIGTERM lets the requests that have begun finish, and the exit code is 0."""
    parser = argparse.ArgumentParser(prog="python -m appraiser_api", description="Serve appraisals over HTTP.")
    parser.add_argument("--reload", action="store_true", help="start again whenever the source changes")
    parser.add_argument("--openapi", action="store_true", help="print the OpenAPI document and exit")
    arguments = parser.parse_args()
    settings = _read_settings(parser)
    if arguments.openapi:
        sys.stdout.write(to_text(create_app(settings)))
    elif arguments.reload:
        watched = [str(path) for path in Path.cwd().glob("*/*/src")] or None
        uvicorn.run("appraiser_api.main:serve", factory=True, reload=True, reload_dirs=watched, **_options(settings))
    else:
        configure_logs()
        # Uvicorn raises the signal again after a graceful stop, for a parent that asks how the process ended.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        uvicorn.run(create_app(settings), **_options(settings))


def _read_settings(parser: argparse.ArgumentParser) -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        problems = [f"{_variable(str(e['loc'][0]))}: {e['msg']}; it is {e['input']!r}" for e in error.errors()]
        parser.error(f"the environment is not in order: {'. '.join(problems)}")


def _variable(name: str) -> str:
    return f"{Settings.model_config['env_prefix']}{name}".upper() if name in Settings.model_fields else name


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.api_host,
        "port": settings.api_port,
        "loop": "uvloop",
        "http": "httptools",
        "access_log": False,
        "server_header": False,
        "log_config": None,
        "timeout_graceful_shutdown": GRACE_SECONDS,
    }


if __name__ == "__main__":
    main()
