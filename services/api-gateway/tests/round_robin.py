"""Two replicas of a door as processes of their own behind a plain round robin, and a load that goes on meanwhile."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from orkestra.testkit.waiting import eventually
from test_rest_process import answers, free_ports, process

PER_SECOND = 50
AT_ONCE = 8
"""Calls under way at most: a machine that is busy with other things gets fewer, not a queue that ends in time-outs."""
LOOK_SECONDS = 0.1
PAUSE_SECONDS = 3
"""How long a replica that ends goes on serving, so that a balancer that looks late has noticed."""
STARVED = ("IDENTITY_UNAVAILABLE", "DEADLINE_EXCEEDED")


@dataclass
class Replica:
    """One process of a door."""

    http_port: int
    health_port: int
    process: asyncio.subprocess.Process
    is_ready: bool = False
    served: int = 0
    """Connections that it was given."""
    asked: int = 0
    """Pieces of requests that went to it on them."""

    async def watch(self) -> None:
        """Looks whether it is ready, as a balancer does."""
        while True:
            self.is_ready = await answers(f"http://127.0.0.1:{self.health_port}/readyz")
            await asyncio.sleep(LOOK_SECONDS)


@dataclass
class RoundRobin:
    """Gives each connection to the next replica that is ready; knows nothing of what is said on it."""

    replicas: list[Replica] = field(default_factory=list)
    port: int = 0
    _turn: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            replica = self._next()
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", replica.http_port)
        except (IndexError, OSError):
            writer.close()
            return
        replica.served += 1

        def count() -> None:
            replica.asked += 1

        await asyncio.gather(_pipe(reader, back_writer, passed=count), _pipe(back_reader, writer))

    def _next(self) -> Replica:
        ready = [replica for replica in self.replicas if replica.is_ready]
        self._turn += 1
        return ready[self._turn % len(ready)] if ready else self.replicas[-1]


async def _pipe(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, passed: Callable[[], None] = lambda: None
) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            passed()
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


@asynccontextmanager
async def replicas(module: str, settings: dict[str, Any], *, count: int = 2) -> AsyncIterator[RoundRobin]:
    """Runs a door `count` times behind a balancer."""
    balancer = RoundRobin()
    server = await asyncio.start_server(balancer.serve, "127.0.0.1", 0)
    balancer.port = server.sockets[0].getsockname()[1]
    async with server, contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        watching = []
        for _ in range(count):
            replica = await one_more(stack, module, settings)
            balancer.replicas.append(replica)
            watching.append(group.create_task(replica.watch()))
        await eventually(lambda: _are_ready(balancer), timeout=150)
        yield balancer
        for watch in watching:
            watch.cancel()


async def one_more(stack: contextlib.AsyncExitStack, module: str, settings: dict[str, Any]) -> Replica:
    http_port, health_port = free_ports(2)
    own = settings | {"HTTP_PORT": http_port, "HEALTH_PORT": health_port, "DRAIN_PAUSE_SECONDS": PAUSE_SECONDS}
    return Replica(http_port, health_port, await stack.enter_async_context(process(module, own)))


async def _are_ready(balancer: RoundRobin) -> bool:
    return all(replica.is_ready for replica in balancer.replicas)


async def end(replica: Replica) -> None:
    """Ends a replica as an orchestrator does, and waits for it; it ends in order."""
    replica.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(replica.process.wait(), 30) == 0


@dataclass
class Load:
    """Calls at a steady rate, and some that are held all the time; what went wrong is in `failures`."""

    call: Callable[[], Awaitable[str | None]]
    hold: Callable[[], Awaitable[str | None]]
    done: int = 0
    held: int = 0
    failures: list[str] = field(default_factory=list)
    slow: int = 0
    """Calls that a door could not answer because this test's own rooms, on a busy machine, did not answer in time."""
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def going_on(self, *, holding: int) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            holds = [group.create_task(self._hold()) for _ in range(holding)]
            calls = group.create_task(self._calls())
            yield
            self._over.set()
            await calls
            for one in holds:
                one.cancel()

    async def _calls(self) -> None:
        async with asyncio.TaskGroup() as group:
            room = asyncio.Semaphore(AT_ONCE)
            while not self._over.is_set():
                await room.acquire()
                group.create_task(self._call()).add_done_callback(lambda _: room.release())
                await asyncio.sleep(1 / PER_SECOND)

    async def _call(self) -> None:
        self._note(await self.call())
        self.done += 1

    async def _hold(self) -> None:
        while True:
            self._note(await self.hold())
            self.held += 1

    def _note(self, failure: str | None) -> None:
        if failure is not None and any(reason in failure for reason in STARVED):
            self.slow += 1
        elif failure is not None:
            self.failures.append(failure)

    def assert_nothing_failed(self) -> None:
        """Everything was answered, also what an ended replica held."""
        assert self.failures == [], self.failures[:3]
        assert self.slow <= self.done / 10, (self.slow, self.done)
        assert self.held >= 1
