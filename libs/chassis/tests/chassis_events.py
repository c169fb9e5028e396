"""A NATS server of a test's own, and what one reads of its streams."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any

import httpx
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError
from orkestra.chassis import streams
from orkestra.chassis.streams import EVENTS, Nats
from orkestra.cli.servers import Nats as NatsServer
from orkestra.cli.servers import start
from orkestra.testkit import free_port


class MonitoredNats(NatsServer):
    """A server that says who listens to what, and that a test may stop for a while."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "store", log=folder / "nats.log", port=free_port())
        self._monitoring = free_port()
        self.process.command += ["-m", str(self._monitoring)]

    async def heard(self, prefix: str) -> list[str]:
        """The subjects with this prefix, once for each subscription that the server knows of."""
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"http://127.0.0.1:{self._monitoring}/connz?subs=1")
        found = [name for each in answer.json()["connections"] for name in each.get("subscriptions_list", ())]
        return sorted(name for name in found if name.startswith(prefix))

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """Have it answer nothing for the length of the block, with its connections open."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def monitored_nats(folder: Path) -> Iterator[MonitoredNats]:
    """Such a server for the length of the block."""
    server = MonitoredNats(folder)
    start(server)
    try:
        yield server
    finally:
        server.process.stop()


@contextlib.contextmanager
def nats_server(folder: Path) -> Iterator[NatsServer]:
    """A server that a test may kill."""
    server = NatsServer(folder / "store", log=folder / "nats.log", port=free_port())
    start(server)
    try:
        yield server
    finally:
        server.process.stop()


def restart_without_store(server: NatsServer) -> None:
    """Kill the server and delete what it stored."""
    server.process.kill()
    shutil.rmtree(server.store)
    start(server)


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[Nats]:
    """A connection with the streams in place."""
    nats = await streams.connect(url, name="test")
    await nats.connected()
    await nats.ensure_streams()
    try:
        yield nats
    finally:
        await nats.close()


@contextlib.asynccontextmanager
async def beside(loop: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Have a loop run for the length of the block."""
    running = asyncio.create_task(loop)
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait((running,))


async def messages(nats: Nats, stream: str = EVENTS) -> list[RawStreamMsg]:
    """Every message of a stream, oldest first."""
    try:
        state = (await nats.jetstream.stream_info(stream)).state
    except NotFoundError:
        return []
    found = []
    for place in range(max(state.first_seq, 1), state.last_seq + 1):
        with contextlib.suppress(NotFoundError):
            found.append(await nats.jetstream.get_msg(stream, seq=place))
    return found


async def message_ids(nats: Nats, tenant_id: str) -> list[str]:
    """The ids of a tenant's events in the stream, in its order."""
    return [
        (message.headers or {})["Nats-Msg-Id"]
        for message in await messages(nats)
        if (message.headers or {}).get("ce-tenant") == tenant_id
    ]
