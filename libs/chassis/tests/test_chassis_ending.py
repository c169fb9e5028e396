"""The end of an HTTP server while requests are on their way: none is cut off, and clients hear of it before."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from orkestra.chassis.door import Receive, Scope, Send
from orkestra.chassis.http import HttpServer
from orkestra.testkit.waiting import eventually

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK"
PATIENCE = 20


class Held:
    """Answers `/` at once, `/held` when it is let go, and `/stream` with a head at once and its end when let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.asked = asyncio.Event()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/held":
            self.asked.set()
            await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        if scope["path"] == "/stream":
            await send({"type": "http.response.body", "body": b"o", "more_body": True})
            await self.go.wait()
            await send({"type": "http.response.body", "body": b"k"})
        else:
            await send({"type": "http.response.body", "body": b"ok"})


class Caller:
    """One connection, kept between requests; it is written to behind the back of the loop that serves it."""

    def __init__(self, server: HttpServer) -> None:
        self._address = ("127.0.0.1", server.port)
        self._socket = socket.create_connection(self._address, PATIENCE)

    def ask(self, path: str = "/") -> None:
        self._socket.sendall(GET.replace(b"/", path.encode(), 1))

    async def answer(self, until: bytes = b"ok") -> tuple[bytes, bool]:
        """The first line that comes, and whether the connection was said to end with what comes."""
        return await asyncio.to_thread(self._answer, until)

    async def hears_the_end(self) -> bool:
        return await asyncio.to_thread(self._socket.recv, 1) == b""

    def is_refused_another(self) -> bool:
        """Whether the server listens no more."""
        try:
            socket.create_connection(self._address, PATIENCE).close()
        except ConnectionRefusedError:
            return True
        return False

    def close(self) -> None:
        self._socket.close()

    def _answer(self, until: bytes) -> tuple[bytes, bool]:
        said = b""
        while not said.endswith(until):
            more = self._socket.recv(65536)
            assert more, f"cut off after {said!r}"
            said += more
        return said.split(b"\r\n")[0], b"\r\nconnection: close\r\n" in said


@asynccontextmanager
async def serving(app: Held, *, quiet_seconds: float = 0.0) -> AsyncIterator[tuple[HttpServer, Callable[[], Caller]]]:
    server = HttpServer(app, host="127.0.0.1", port=0, drain_seconds=10, quiet_seconds=quiet_seconds)
    await server.start()
    try:
        with contextlib.ExitStack() as open_ones:
            yield server, lambda: open_ones.enter_context(contextlib.closing(Caller(server)))
    finally:
        app.go.set()
        await server.stop()


async def test_once_the_end_is_announced_every_answer_says_that_its_connection_ends() -> None:
    app = Held()
    async with serving(app) as (server, call):
        one, held = call(), call()
        one.ask()
        assert await one.answer() == (OK, False)
        held.ask("/held")
        await app.asked.wait()
        server.drain()
        app.go.set()
        assert await held.answer() == (OK, True)
        one.ask()
        assert await one.answer() == (OK, True)
        assert await one.hears_the_end()
        late = call()
        late.ask()
        assert await late.answer() == (OK, True)


async def test_what_the_server_has_not_read_yet_when_it_stops_is_answered() -> None:
    app = Held()
    async with serving(app) as (server, call):
        kept, idle = call(), call()
        for caller in (kept, idle):
            caller.ask()
            assert await caller.answer() == (OK, False)
        untaken = call()
        untaken.ask()
        kept.ask()  # both are with the kernel: the loop has had no turn
        await server.stop()
        assert await kept.answer() == (OK, True)
        assert await untaken.answer() == (OK, True)
        assert await idle.hears_the_end()
        assert idle.is_refused_another()


async def test_a_connection_that_was_just_made_is_kept_for_its_first_request() -> None:
    async with serving(Held(), quiet_seconds=PATIENCE) as (server, call):
        fresh = call()
        fresh.ask()
        assert await fresh.answer() == (OK, False)
        stopping = asyncio.create_task(server.stop())
        await eventually(fresh.is_refused_another)
        assert not stopping.done()
        fresh.ask()
        assert await fresh.answer() == (OK, True)
        await stopping


async def test_a_stream_that_has_begun_goes_on_and_its_connection_takes_one_more_request() -> None:
    app = Held()
    async with serving(app, quiet_seconds=PATIENCE) as (server, call):
        caller = call()
        caller.ask("/stream")
        assert await caller.answer(b"o") == (OK, False)
        stopping = asyncio.create_task(server.stop())
        await eventually(caller.is_refused_another)
        app.go.set()
        assert await caller.answer(b"k") == (b"k", False)
        caller.ask()
        assert await caller.answer() == (OK, True)
        await stopping
