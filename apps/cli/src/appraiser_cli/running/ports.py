"""Ports on the loopback address."""

import socket
from collections.abc import Collection
from typing import Final

LOOPBACK: Final = "127.0.0.1"
_TRIES: Final = 50


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        # Servers set this too: a port whose last connections are still closing is free for them.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port(wanted: int, taken: Collection[int] = ()) -> int:
    """The port wanted or, where it is in use, the next one that is free.

    Args:
        wanted: From 1 to 65,535; 0 takes any.
        taken: Ports that are promised to others already.
    """
    for port in range(wanted, min(wanted + _TRIES, 65_536)) if wanted else ():
        if port not in taken and is_free(port):
            return port
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port
