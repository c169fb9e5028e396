"""HTTP servers that start and end with the process instead of on signals of their own."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

IDLE_SECONDS = 75
"""How long an idle connection stays open: longer than proxies keep theirs, so that no request meets a closing one."""


class HttpServer:
    """One ASGI application on one port."""

    def __init__(self, app: Any, *, host: str, port: int, drain_seconds: float) -> None:
        self._socket = listening_socket(host, port)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=max(1, int(drain_seconds)),
        )
        self._server = _QuietServer(config)
        self._running: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        port: int = self._socket.getsockname()[1]
        return port

    async def start(self) -> None:
        """Return when it answers."""
        self._running = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            if self._running.done():
                self._running.result()
                raise RuntimeError("the HTTP server ended while it started")
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Take no new requests, let running ones end for at most `drain_seconds`."""
        if self._running is not None:
            self._server.should_exit = True
            await self._running


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket bound to `host:port`; a taken port is refused with a sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY only with it
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as refused:
        bound.close()
        raise OSError(refused.errno, f"{host}:{port} cannot be listened on: {refused.strerror}") from refused
    return bound


class _QuietServer(uvicorn.Server):
    """Leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
