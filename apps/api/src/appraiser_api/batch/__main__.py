"""The table process: `python -m appraiser_api.batch FILE`, started by `TableProcess` with the number of a socket."""

import signal
import socket
import sys

from appraiser_api.batch.threads import stand_back
from appraiser_api.batch.wire import Setup
from appraiser_api.logs import configure_logs


def main() -> None:
    """Work until the parent closes the socket or ends, however that goes: a signal to all of them is for the parent."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Before the libraries for tables start threads of their own, which takes them a second.
    stand_back()
    configure_logs()
    setup = Setup.model_validate_json(sys.stdin.buffer.read())
    from appraiser_api.batch.worker import Worker  # noqa: PLC0415

    Worker(setup, socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
