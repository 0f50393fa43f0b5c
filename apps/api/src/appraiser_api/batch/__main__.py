"""The table process: `python -m appraiser_api.batch FILE`, started by `TableProcess` with the number of a socket."""

import signal
import socket
import sys

from appraiser_api.batch.wire import Setup
from appraiser_api.batch.worker import Worker
from appraiser_api.logs import configure_logs
from appraiser_api.priority import own_threads, stand_back


def main() -> None:
    """Work until the parent closes the socket or ends, however that goes: a signal to all of them is for the parent."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    configure_logs()
    setup = Setup.model_validate_json(sys.stdin.buffer.read())
    worker = Worker(setup, socket.socket(fileno=int(sys.argv[1])))
    # Not before the libraries for tables are there: on a busy machine somebody waits for them.
    stand_back(*own_threads())
    worker.run()


if __name__ == "__main__":
    main()
