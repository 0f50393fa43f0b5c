"""`python -m appraiser_api`: the server, with one process or with several at one port."""

import argparse
import contextlib
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from appraiser_api.listening import listen
from appraiser_api.settings import Settings
from appraiser_api.supervisor import LIFELINE, SOCKET, Supervisor

# What answers is imported where something is answered: a supervisor stays small, and a refusal comes at once.


def main() -> None:
    """Serve until told to stop; SIGTERM lets the requests that have begun finish, and the exit code is 0."""
    parser = argparse.ArgumentParser(prog="python -m appraiser_api", description="Serve appraisals over HTTP.")
    parser.add_argument("--reload", action="store_true", help="start again whenever the source changes")
    parser.add_argument("--openapi", action="store_true", help="print the OpenAPI document and exit")
    arguments = parser.parse_args()
    settings = _read_settings(parser)
    if arguments.openapi:
        _print_document(settings)
    elif arguments.reload:
        _develop(settings)
    elif SOCKET in os.environ:
        _serve(settings, socket.socket(fileno=int(os.environ[SOCKET])))
    elif settings.api_workers > 1:
        sys.exit(_supervise(parser, settings))
    else:
        _serve(settings, _listen(parser, settings))


def _serve(settings: Settings, listener: socket.socket) -> None:
    from appraiser_api import interpreter  # noqa: PLC0415
    from appraiser_api.errors import KeysFileError  # noqa: PLC0415
    from appraiser_api.logs import configure_logs  # noqa: PLC0415
    from appraiser_api.main import create_app  # noqa: PLC0415
    from appraiser_api.server import Server  # noqa: PLC0415

    configure_logs()
    interpreter.answer_quickly()
    # Uvicorn raises the signal again after a graceful stop, for a parent that asks how the process ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if LIFELINE in os.environ:
        threading.Thread(target=_end_with_parent, args=(int(os.environ[LIFELINE]),), daemon=True).start()
    try:
        server = Server(create_app(settings), settings)
    except KeysFileError as error:
        sys.exit(f"appraiser_api: {error}")
    with contextlib.suppress(KeyboardInterrupt):
        server.run([listener])
    if not server.started:
        sys.exit(3)


def _supervise(parser: argparse.ArgumentParser, settings: Settings) -> int:
    from appraiser_api import run_folder  # noqa: PLC0415
    from appraiser_api.logs import configure_logs  # noqa: PLC0415

    configure_logs()
    listener = _listen(parser, settings)
    with run_folder.held(settings.api_run) as folder:
        return Supervisor(settings, listener, folder).run()


def _listen(parser: argparse.ArgumentParser, settings: Settings) -> socket.socket:
    try:
        return listen(settings.api_host, settings.api_port)
    except OSError as error:
        parser.error(
            f"nothing can be served at {settings.api_host}:{settings.api_port}: {error.strerror}. Set "
            "APPRAISER_API_HOST and APPRAISER_API_PORT to another address."
        )


def _end_with_parent(lifeline: int) -> None:
    """End this worker once its parent has gone, however that went."""
    with contextlib.suppress(OSError):
        os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _print_document(settings: Settings) -> None:
    from appraiser_api.main import create_app  # noqa: PLC0415
    from appraiser_api.openapi import to_text  # noqa: PLC0415

    sys.stdout.write(to_text(create_app(settings)))


def _develop(settings: Settings) -> None:
    import uvicorn  # noqa: PLC0415

    watched = [str(path) for path in Path.cwd().glob("*/*/src")] or None
    options: dict[str, Any] = {"host": settings.api_host, "port": settings.api_port, "log_config": None}
    uvicorn.run("appraiser_api.main:serve", factory=True, reload=True, reload_dirs=watched, access_log=False, **options)


def _read_settings(parser: argparse.ArgumentParser) -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        parser.error(f"the environment is not in order: {'. '.join(map(_told, error.errors()))}")


def _told(fault: Any) -> str:
    if not fault["loc"]:
        return str(fault["ctx"]["error"])
    return f"{_variable(str(fault['loc'][0]))}: {fault['msg']}; it is {fault['input']!r}"


def _variable(name: str) -> str:
    return f"{Settings.model_config['env_prefix']}{name}".upper() if name in Settings.model_fields else name


if __name__ == "__main__":
    main()
