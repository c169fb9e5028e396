"""HTTP servers that start and end with the process instead of on signals of their own."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

IDLE_SECONDS = 75
"""How long an idle connection stays open: longer than proxies keep theirs, so that no request meets a closing one."""
HEAD_SECONDS = 20.0
"""How long the head of a request may take from its first byte on."""
HEAD_BYTES = 64 * 1024
MOST_HEADERS = 100


class HttpServer:
    """One ASGI application on one port."""

    def __init__(
        self, app: Any, *, host: str, port: int, drain_seconds: float, head_seconds: float = HEAD_SECONDS
    ) -> None:
        self._socket = listening_socket(host, port)
        config = uvicorn.Config(
            app,
            http=type("Bounded", (_Bounded,), {"head_seconds": head_seconds}),
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


class _Bounded(HttpToolsProtocol):
    """Takes heads of requests that are small and come soon; uvicorn and httptools themselves take any.

    Who sends a larger one is answered 400, who is slower is cut off: neither takes memory or a place for ever.
    """

    head_seconds = HEAD_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        self._in_head = True
        self._head_bytes = 0
        self._head_size = 0
        self._slow: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        self._wait(IDLE_SECONDS)  # for the first byte

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head and self._head_bytes == 0:
            self._wait(self.head_seconds)
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of this request is too large.")

    def on_message_begin(self) -> None:
        self._in_head = True
        self._head_size = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._add(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._add(len(name) + len(value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        super().on_message_complete()

    def _add(self, size: int) -> None:
        """Raises where the head, or the trailer of a body, is too large: the parser makes it a refusal."""
        self._head_size += size
        if len(self.headers) > MOST_HEADERS or self._head_size > HEAD_BYTES:
            raise ValueError("the head is too large")

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._slow = self.loop.call_later(seconds, self._cut_off)

    def _stop_waiting(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _cut_off(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait(self.head_seconds)  # an answer is still held: this connection is at work
        elif not self.transport.is_closing():
            self.transport.close()


class _QuietServer(uvicorn.Server):
    """Leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
