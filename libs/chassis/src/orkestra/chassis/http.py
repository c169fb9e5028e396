"""HTTP servers that start and end with the process instead of on signals of their own."""

import asyncio
import contextlib
import select
import socket
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

IDLE_SECONDS = 75
"""How long an idle connection stays open: longer than proxies keep theirs, so that no request meets a closing one."""
LOOK_SECONDS = 0.02
"""How often a server that ends looks for connections on which nothing is on its way."""
LAST_SECONDS = 1
"""How much of the time that answers have is left for those that need more than the rest of it."""
HEAD_SECONDS = 20.0
"""How long the head of a request may take from its first byte on."""
HEAD_BYTES = 64 * 1024
MOST_HEADERS = 100


class HttpServer:
    """One ASGI application on one port.

    When it stops it serves what is on its way, also on connections that nobody has taken from the kernel yet, and
    those that were accepted or used within `quiet_seconds`: their next request may not have come yet.
    """

    def __init__(
        self,
        app: Any,
        *,
        host: str,
        port: int,
        drain_seconds: float,
        quiet_seconds: float = 0.0,
        head_seconds: float = HEAD_SECONDS,
    ) -> None:
        self._socket = listening_socket(host, port)
        self._drain_seconds = drain_seconds
        self._quiet_seconds = quiet_seconds
        self._protocol = cast("type[_Bounded]", type("Bounded", (_Bounded,), {"head_seconds": head_seconds}))
        config = uvicorn.Config(
            app,
            http=self._protocol,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=LAST_SECONDS,
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

    def drain(self) -> None:
        """Go on serving, and say with each answer from now on that its connection ends with it (RFC 9112, 9.6).

        A client that hears it sends its next request on another connection, and none to a server that is gone.
        """
        self._protocol.is_draining = True
        for connection in self._connections:
            connection.announce_end()

    async def stop(self) -> None:
        """Take no new connections, let running requests end for at most `drain_seconds`, close idle ones last."""
        if self._running is None:
            return
        if self._server.started and not self._running.done():
            self.drain()
            await self._stop_listening()
            await self._end_connections(max(self._drain_seconds / 2, self._drain_seconds - LAST_SECONDS))
        self._server.should_exit = True
        await self._running

    @property
    def _connections(self) -> list["_Bounded"]:
        return cast("list[_Bounded]", list(self._server.server_state.connections))

    async def _stop_listening(self) -> None:
        """Listen no more, and take what the kernel has accepted: it would be reset with the socket."""
        queue = self._socket.dup()
        for server in self._server.servers:
            server.close()
        accepted = list(_accepted(queue))
        queue.close()
        made = partial(
            self._protocol,
            config=self._server.config,
            server_state=self._server.server_state,
            app_state=self._server.lifespan.state,
        )
        for connection in accepted:
            with contextlib.suppress(OSError):
                await asyncio.get_running_loop().connect_accepted_socket(made, connection)

    async def _end_connections(self, within: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while connections := self._connections:
                    for connection in connections:
                        connection.end_if_quiet(self._quiet_seconds)
                    await asyncio.sleep(LOOK_SECONDS)


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


def _accepted(queue: socket.socket) -> Iterator[socket.socket]:
    queue.setblocking(False)
    with contextlib.suppress(OSError):
        while True:
            connection, _ = queue.accept()
            connection.setblocking(False)
            yield connection


class _Bounded(HttpToolsProtocol):
    """Takes heads of requests that are small and come soon; uvicorn and httptools themselves take any.

    Who sends a larger one is answered 400, who is slower is cut off: neither takes memory or a place for ever.
    Ends when nothing is on its way, where uvicorn closes what has been answered, whatever has come since.
    """

    head_seconds = HEAD_SECONDS
    is_draining = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        self._in_head = True
        self._head_bytes = 0
        self._head_size = 0
        self._slow: asyncio.TimerHandle | None = None
        self._quiet_since = self.loop.time()
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
        self._check_host()
        self._in_head = False
        self._head_bytes = 0
        self._stop_waiting()
        super().on_headers_complete()
        if self.is_draining:
            self.announce_end()

    def on_message_complete(self) -> None:
        self._in_head = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._quiet_since = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse, once: what the parser makes of a refusal is not said after it."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def announce_end(self) -> None:
        """Have the answer say that the connection ends with it; one that has begun cannot any more."""
        if self.cycle is not None and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def end_if_quiet(self, seconds: float) -> None:
        """Close the connection where no request is on its way and none was for `seconds`."""
        is_at_work = self._head_bytes > 0 or (self.cycle is not None and not self.cycle.response_complete)
        was_used = self.loop.time() - self._quiet_since < seconds
        if not (is_at_work or was_used or self.transport.is_closing() or _has_unread(self.transport)):
            self.transport.close()

    def _check_host(self) -> None:
        """Refuse a request that names none or several hosts: a proxy may have read another one (RFC 9112, 3.2)."""
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            self.send_400_response("A request has one Host header.")
            raise ValueError("not one host")

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


def _has_unread(transport: asyncio.Transport) -> bool:
    """Whether the kernel has something of the client's: to close now would cut off a request."""
    look = select.poll()
    look.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(look.poll(0))


class _QuietServer(uvicorn.Server):
    """Leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
