"""One process that serves: uvicorn with connections that are bounded, and an end that breaks no answer off."""

import asyncio
import contextlib
import resource
import socket
import time
from typing import Final

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from appraiser_api.connection import BoundedConnection
from appraiser_api.draining import DRAINING
from appraiser_api.listening import BACKLOG
from appraiser_api.settings import Settings

GRACE_SECONDS: Final = 10
"""How long requests that have begun may take once the server is told to stop."""

DRAIN_SECONDS: Final = 0.5
"""How long requests are still taken then, each with 'Connection: close': a client that keeps a connection open has the
next one on its way, and would find it cut."""

LAST_SECONDS: Final = 0.3
"""How long the requests of the last connections may take to arrive, once no more are accepted."""

_FILES_BESIDE: Final = 200
"""Files that are open beside connections."""


class Server(uvicorn.Server):
    """Uvicorn's server, with these two things added.

    Args:
        app: What answers.
        settings: Where to listen, and the limits.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        config = uvicorn.Config(
            app,
            host=settings.api_host,
            port=settings.api_port,
            loop="uvloop",
            http=BoundedConnection,
            ws="none",
            access_log=False,
            server_header=False,
            log_config=None,
            backlog=BACKLOG,
            # Whoever stands before the service writes these headers, and so can anybody else; keys tell who asks.
            proxy_headers=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        config.most_connections = _allow(settings.api_connections)  # type: ignore[attr-defined]
        config.short_way = app.state.short_way if isinstance(app, FastAPI) else None  # type: ignore[attr-defined]
        super().__init__(config)
        self._head_seconds = settings.api_head_seconds
        self._read_seconds = settings.api_body_seconds

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: look for connections that wait in vain, once a second."""
        if counter % 10 == 0:
            now = time.monotonic()
            for connection in tuple(self.server_state.connections):
                if isinstance(connection, BoundedConnection):
                    connection.check(now, self._head_seconds, self._read_seconds)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take what is on its way, with a word that it is the last; then finish what was taken."""
        DRAINING.on = True
        await asyncio.sleep(DRAIN_SECONDS)
        # The kernel has taken connections that nobody has accepted yet, and would cut them with the socket.
        waiting = [listener.dup() for listener in sockets or []]
        for server in self.servers:
            server.close()
        for listener in waiting:
            await self._accept_rest(listener)
        await asyncio.sleep(LAST_SECONDS)
        await super().shutdown(sockets)

    async def _accept_rest(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        taken = []
        with listener, contextlib.suppress(BlockingIOError):
            while True:
                taken.append(listener.accept()[0])
        for connection in taken:
            await loop.connect_accepted_socket(self._connection, connection)

    def _connection(self) -> BoundedConnection:
        return BoundedConnection(self.config, self.server_state, self.lifespan.state)


def _allow(connections: int) -> int:
    """Let so many files be open, as far as the system lets; gives the number of connections that are left."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _FILES_BESIDE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else max(min(connections, soft - _FILES_BESIDE), 16)
